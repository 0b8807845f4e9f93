import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import type { OauthConfig } from "../../../src/source/config.ts";
import { saslOptions, tokenProvider } from "../../../src/source/sasl.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe("OAUTHBEARER", () => {
  it("asks once for connections that come together, with the client's credentials", async () => {
    const server = await tokenServer({ status: 200, body: { access_token: "t1", expires_in: 3_600 } });
    const provide = tokenProvider(oauth(server.url), systemClock);
    const tokens = await Promise.all([provide(), provide(), provide()]);
    expect(tokens.map(({ value }) => value)).toEqual(["t1", "t1", "t1"]);
    expect(tokens[0]?.extensions).toEqual({ logicalCluster: "lkc-1" });
    expect(server.requests).toEqual([
      {
        authorization: `Basic ${Buffer.from("me:secret").toString("base64")}`,
        body: "grant_type=client_credentials&scope=kafka",
      },
    ]);
  });

  it("renews a token after four fifths of its life", async () => {
    const server = await tokenServer({ status: 200, body: { access_token: "t1", expires_in: 100 } });
    let nowMs = 0;
    const provide = tokenProvider(oauth(server.url), { ...systemClock, monotonicMs: () => nowMs });
    await provide();
    nowMs = 79_999;
    await provide();
    expect(server.requests).toHaveLength(1);
    nowMs = 80_000;
    await Promise.all([provide(), provide()]);
    expect(server.requests).toHaveLength(2);
  });

  it("says which endpoint refused, without the secret, and asks again next time", async () => {
    const server = await tokenServer({ status: 401, body: { error: "invalid_client" } });
    const provide = tokenProvider(oauth(server.url), systemClock);
    const failure = await provide().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "KAFKA_TOKEN_REFUSED", retriable: true });
    expect(String(failure)).toContain(server.url);
    expect(JSON.stringify(failure) + String(failure)).not.toContain("secret");
    await provide().catch(() => {});
    expect(server.requests).toHaveLength(2);
  });
});

it("SCRAM and PLAIN pass user and password on", () => {
  const login = { username: "me", password: "secret" };
  expect(saslOptions({ mechanism: "scram-sha-512", ...login }, systemClock)).toEqual({
    mechanism: "scram-sha-512",
    ...login,
  });
});

const oauth = (tokenUrl: string): OauthConfig => ({
  mechanism: "oauthbearer",
  tokenUrl,
  clientId: "me",
  clientSecret: "secret",
  scope: "kafka",
  extensions: { logicalCluster: "lkc-1" },
});

const tokenServer = async (answer: { status: number; body: object }) => {
  const requests: { authorization: string | undefined; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    requests.push({ authorization: request.headers.authorization, body });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, requests };
};
