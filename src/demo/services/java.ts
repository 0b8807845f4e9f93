/** Java services: their jars from Maven Central, and the flags that make a JVM start fast and stay small. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConnectorError, errorText } from "../../domain/errors.ts";
import { cached } from "./cache.ts";
import type { Context } from "./options.ts";
import { ensurePrograms } from "./programs.ts";
import { run } from "./run.ts";

/** One client and a few topics: the first compiler tier and the serial collector are enough, and ready sooner. */
export const jvmFlags = (heapMiB: number): string[] => [
  "-Xms64m",
  `-Xmx${heapMiB}m`,
  "-XX:ActiveProcessorCount=2",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Xshare:auto",
];

/** This old one on purpose: newer ones insist on a POM's parent even for a bare archive, and Apicurio's is missing. */
const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8";

/**
 * The cache's folder `name` with the jars of `artifacts` ("group:artifact:version") and of all that these need, but for those
 * of the groups `without`. The first time it takes Maven and a network, later nothing.
 */
export const withJars = (
  name: string,
  artifacts: readonly string[],
  context: Context,
  without: readonly string[] = [],
): Promise<string> => {
  const flags = ["-DincludeScope=runtime", `-DexcludeGroupIds=${without.join(",")}`];
  return fetched(name, pom(artifacts), ["copy-dependencies", ...flags], context);
};

/** The cache's folder `name` with the contents of the archive `artifact` ("group:artifact:version:type:classifier"). */
export const withArchive = (name: string, artifact: string, context: Context): Promise<string> =>
  fetched(name, pom([]), ["unpack", `-Dartifact=${artifact}`], context);

const fetched = (
  name: string,
  pomXml: string,
  [goal, ...flags]: readonly [goal: string, ...flags: readonly string[]],
  context: Context,
): Promise<string> =>
  cached(name, context, async (folder) => {
    await ensurePrograms(["mvn"], context);
    context.say(`Fetching ${name} from Maven Central, once ...`);
    // Maven's own repository goes with it: two Mavens at once may not share one. A wrong checksum is an error (-C).
    const work = join(folder, ".maven");
    await mkdir(work);
    await writeFile(join(work, "pom.xml"), pomXml);
    const common = ["-q", "-B", "-C", `-Dmaven.repo.local=${join(work, "repository")}`];
    const args = [...common, `${PLUGIN}:${goal}`, ...flags, `-DoutputDirectory=${folder}`];
    await run("mvn", args, { cwd: work, env: context.env }, context.signal).catch((cause: unknown) => {
      context.signal.throwIfAborted();
      throw new ConnectorError(
        "DOWNLOAD_FAILED",
        `${name} could not be fetched. Is there a network, and does ~/.m2/settings.xml name the proxy? ${errorText(cause)}`,
        { retriable: true, cause },
      );
    });
    await rm(work, { recursive: true });
  });

const pom = (artifacts: readonly string[]): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>download</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${artifacts.map(dependency).join("\n")}
  </dependencies>
</project>
`;

const dependency = (coordinates: string): string => {
  const [group, artifact, version] = coordinates.split(":");
  return `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
};
