/** One schema registry: Apicurio, through its Confluent-compatible API, schemas in memory. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { jvmFlags, withArchive } from "./java.ts";
import { type LocalProcess, launch } from "./local-process.ts";
import { type StartOptions, withDefaults } from "./options.ts";
import { ensurePrograms } from "./programs.ts";

/** The newest line that runs on Java 17; 3.3 asks for 21. */
export const REGISTRY_VERSION = "3.0.9";
export const REGISTRY_API = "/apis/ccompat/v7";

/** A registry of its own, on a free port, empty after each start. `address` is the URL of the compatible API. */
export const startRegistry = async (options: StartOptions = {}): Promise<LocalProcess> => {
  const context = withDefaults(options);
  await ensurePrograms(["java"], context);
  const artifact = `io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`;
  const app = await withArchive(`apicurio-registry-${REGISTRY_VERSION}`, artifact, context);
  const port = await getPort();
  const address = `http://127.0.0.1:${port}${REGISTRY_API}`;
  const jar = join(app, `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`);
  const http = ["-Dquarkus.http.host=127.0.0.1", `-Dquarkus.http.port=${port}`];
  return launch(
    {
      name: `Apicurio Registry ${REGISTRY_VERSION}`,
      address,
      command: "java",
      args: [...jvmFlags(256), ...http, "-jar", jar],
      folder: await mkdtemp(join(tmpdir(), "sell-sink-registry-")),
      ready: { url: `${address}/subjects` },
    },
    context,
  );
};
