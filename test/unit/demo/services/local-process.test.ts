import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LocalProcess } from "../../../../src/demo/services/local-process.ts";
import { type Clock, systemClock } from "../../../../src/lib/clock.ts";

const READY = "console.log('I am up');";
const STAY = "setInterval(() => {}, 1000);";

/** A clock on which patience of seconds is over at once. */
const impatientClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms < 1_000 ? ms : 0, signal) };

const aProcess = (script: string, { command = process.execPath, clock = systemClock } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), "sell-sink-unit-"));
  const service = new LocalProcess(
    { name: "Thing", address: "here", command, args: ["-e", script], folder, ready: { line: "I am up" } },
    { clock, env: process.env },
  );
  onTestFinished(() => service.stop());
  return { service, folder };
};

/** A server, and a script that connects to it: a connection's end tells of the process's end. */
const aLifeLine = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const connected = async (): Promise<Socket> => {
    const [socket] = (await once(server, "connection")) as [Socket];
    socket.on("error", () => {}).resume();
    return socket;
  };
  return { connect: `require("node:net").connect(${port}, "127.0.0.1");`, connected };
};

test("a process that ends before it is ready is told with its last words", async () => {
  const { service } = aProcess("console.error('Error: no disk'); process.exit(3)");
  await expect(service.start()).rejects.toThrow(/Thing ended at once \(exit code 3\)\. It said:\n {2}Error: no disk/);
});

test("a command that does not exist is told by its name", async () => {
  const { service } = aProcess("", { command: "no-such-command" });
  await expect(service.start()).rejects.toThrow(/Thing could not be run .*no-such-command/);
});

test("an aborted start leaves nothing running", async () => {
  const { connect, connected } = await aLifeLine();
  const { service } = aProcess(connect);
  const abort = new AbortController();
  const starting = service.start(abort.signal);
  const socket = await connected();
  abort.abort(new Error("enough"));
  await expect(starting).rejects.toThrow("enough");
  if (!socket.closed) await once(socket, "close");
});

test("a killed process starts again", async () => {
  const { connect, connected } = await aLifeLine();
  const { service } = aProcess(connect + READY);
  const first = connected();
  await service.start();
  const firstSocket = await first;
  await service.kill("SIGKILL");
  if (!firstSocket.closed) await once(firstSocket, "close");
  const second = connected();
  await service.start();
  await second;
});

test("stop ends a frozen process and removes its folder", async () => {
  const { service, folder } = aProcess(READY + STAY);
  await service.start();
  await service.kill("SIGSTOP");
  await service.stop();
  expect(existsSync(folder)).toBe(false);
});

test("stop ends a process that ignores SIGTERM", async () => {
  const { service, folder } = aProcess(`process.on("SIGTERM", () => {}); ${READY} ${STAY}`, { clock: impatientClock });
  await service.start();
  await service.stop();
  expect(existsSync(folder)).toBe(false);
});

test("a child ends with its parent, even if that is killed", async () => {
  const { connect, connected } = await aLifeLine();
  const folder = mkdtempSync(join(tmpdir(), "sell-sink-unit-"));
  const module = new URL("../../../../src/demo/services/local-process.ts", import.meta.url);
  const clock = new URL("../../../../src/lib/clock.ts", import.meta.url);
  const recipe = {
    name: "Thing",
    address: "here",
    command: process.execPath,
    args: ["-e", connect + READY],
    folder,
    ready: { line: "I am up" },
  };
  const script = `
    const { LocalProcess } = await import(${JSON.stringify(module)});
    const { systemClock } = await import(${JSON.stringify(clock)});
    await new LocalProcess(${JSON.stringify(recipe)}, { clock: systemClock, env: process.env }).start();
    console.log("started");`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const life = connected();
  await once(parent.stdout, "data");
  const socket = await life;
  parent.kill("SIGKILL");
  if (!socket.closed) await once(socket, "close");
});
