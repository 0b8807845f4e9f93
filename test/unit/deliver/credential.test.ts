/** A token file as Kubernetes mounts it: a link to a folder that is swapped for another one. */
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createCredential } from "../../../src/deliver/credential.ts";
import { aClock, never } from "./support.ts";

const aMount = async () => {
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-mount-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const link = join(folder, "..data");
  let version = 0;
  const swap = async (token: string): Promise<void> => {
    version += 1;
    const target = join(folder, `..v${version}`);
    await mkdir(target);
    await writeFile(join(target, "token"), `${token}\n`);
    await symlink(target, `${link}_tmp`);
    await rename(`${link}_tmp`, link);
  };
  await swap("old");
  await symlink(join("..data", "token"), join(folder, "token"));
  return { file: `file:${join(folder, "token")}`, swap, empty: () => rm(link) };
};

test("a swapped folder gives the new token, at the next refusal or to those who wait for it", async () => {
  const { file, swap } = await aMount();
  const { clock, asleep, advance } = aClock();
  const credential = createCredential(file, clock);
  expect(await credential.token()).toBe("old");
  expect(await credential.refused("old")).toBe(false);
  const changed = credential.changed(never);
  await asleep();
  await swap("new");
  advance(2_000);
  await changed;
  expect(await credential.token()).toBe("new");
  await swap("newer");
  expect(await credential.refused("new")).toBe(true);
  expect(await credential.token()).toBe("newer");
});

test("a file that is away for a moment leaves the token as it is", async () => {
  const { file, swap, empty } = await aMount();
  const credential = createCredential(file, aClock().clock);
  await credential.token();
  await empty();
  expect(await credential.refused("old")).toBe(false);
  expect(await credential.token()).toBe("old");
  await swap("new");
  expect(await credential.refused("old")).toBe(true);
});

test("a token of several lines, or with what no header may hold, is refused without being shown", async () => {
  for (const token of ["cn4ry one\ncn4ry two", "cn4ry\u0000", "cn4ry \u00e9"]) {
    const error: unknown = await createCredential(token, aClock().clock)
      .token()
      .catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: "CREDENTIAL_UNREADABLE", message: expect.not.stringContaining("cn4ry") });
  }
});
