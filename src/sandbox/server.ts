/** The listening socket: loopback unless told otherwise, and closed for good when `close` resolves. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Listening {
  /** `http://127.0.0.1:PORT`; with another host still the way in from this machine. */
  readonly url: string;
  close(): Promise<void>;
}

/** `port` 0: any free one. Rejects with the system's error when it is taken. */
export const listen = async (
  { host, port, keepAliveMs }: { readonly host: string; readonly port: number; readonly keepAliveMs: number },
  serve: (req: IncomingMessage, res: ServerResponse, url: URL) => void,
): Promise<Listening> => {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, (req, res) => {
    const url = URL.parse(req.url ?? "/", "http://sandbox");
    if (url === null) res.writeHead(400).end();
    else serve(req, res, url);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
