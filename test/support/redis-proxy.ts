/** A relay in front of a Redis, on a port of its own: the way to it can be long, may stall, or break at the worst moment. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { systemClock } from "../../src/lib/clock.ts";

export class RedisProxy implements AsyncDisposable {
  /** Where the relay leads; new connections go there. */
  targetPort: number;
  /** Added to every reply. */
  delayMs = 0;
  /** Of so many replies one is thrown away, and its connection with it: the command was executed all the same. 0: none. */
  cutsEach = 0;
  /** Replies come no further, and nothing breaks. */
  isStalled = false;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #replies = 0;

  private constructor(server: Server, port: number, targetPort: number) {
    this.#server = server;
    this.port = port;
    this.targetPort = targetPort;
    server.on("connection", (client) => this.#relay(client));
  }

  static async to(targetPort: number): Promise<RedisProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the relay has no port");
    return new RedisProxy(server, address.port, targetPort);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Replies thrown away so far. */
  get cut(): number {
    return this.cutsEach === 0 ? 0 : Math.floor(this.#replies / this.cutsEach);
  }

  /** All connections break; new ones lead to `port`. */
  turnTo(port: number): void {
    this.targetPort = port;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(client: Socket): void {
    const server = connect(this.targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    let before = Promise.resolve();
    server.on("data", (reply) => {
      const dueMs = systemClock.monotonicMs() + this.delayMs;
      before = before.then(() => this.#pass(reply, client, dueMs));
    });
  }

  /** In order, each after its delay. */
  async #pass(reply: Buffer, client: Socket, dueMs: number): Promise<void> {
    if (this.cutsEach > 0 && ++this.#replies % this.cutsEach === 0) {
      client.destroy();
      return;
    }
    const leftMs = dueMs - systemClock.monotonicMs();
    if (leftMs > 0) await systemClock.sleep(leftMs);
    while (this.isStalled && !client.destroyed) await systemClock.sleep(5);
    if (!client.destroyed) client.write(reply);
  }
}
