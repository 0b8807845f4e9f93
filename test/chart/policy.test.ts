/** The restricted Pod Security Standard, written down a second time, and the read-only root it does not ask for. */
import { expect, test } from "vitest";
import { CI_VALUES, type Manifest, render } from "./render.ts";

const podSpecs = (documents: readonly Manifest[]): readonly Manifest[] =>
  documents.flatMap(({ kind, spec }) => {
    if (kind === "Deployment") return [spec.template.spec];
    return kind === "CronJob" ? [spec.jobTemplate.spec.template.spec] : [];
  });

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
const violations = (pod: Manifest): readonly string[] => {
  const found: string[] = [];
  const check = (isFine: boolean, what: string): void => void (isFine || found.push(what));
  for (const flag of ["hostNetwork", "hostPID", "hostIPC"]) check(!pod[flag], flag);
  const volumes = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
  ];
  for (const { name, ...volume } of pod.volumes ?? [])
    check(volumes.includes(Object.keys(volume)[0] ?? ""), `volume ${name}`);
  const shared = pod.securityContext ?? {};
  for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
    const own = container.securityContext ?? {};
    const either = (field: string): unknown => own[field] ?? shared[field];
    check(own.privileged !== true, "privileged");
    check(own.allowPrivilegeEscalation === false, "allowPrivilegeEscalation");
    check(own.capabilities?.drop?.includes("ALL") === true, "capabilities.drop ALL, in capitals");
    check(
      (own.capabilities?.add ?? []).every((name: string) => name === "NET_BIND_SERVICE"),
      "capabilities.add",
    );
    check(either("runAsNonRoot") === true, "runAsNonRoot");
    check(either("runAsUser") !== 0, "runAsUser");
    const seccomp = either("seccompProfile") as { type?: string } | undefined;
    check(["RuntimeDefault", "Localhost"].includes(seccomp?.type ?? ""), "seccompProfile");
    check(
      (container.ports ?? []).every(({ hostPort }: Manifest) => !hostPort),
      "hostPort",
    );
    check(own.readOnlyRootFilesystem === true, "readOnlyRootFilesystem");
  }
  check(pod.automountServiceAccountToken === false, "automountServiceAccountToken");
  return found;
};

test.for(CI_VALUES)("%s is admitted by the restricted policy", async (file) => {
  const pods = podSpecs(await render({ files: [file] }));
  expect(pods.length).toBeGreaterThan(0);
  expect(pods.flatMap(violations)).toEqual([]);
});

test("the policy refuses what it should", () => {
  const bare = {
    containers: [{ securityContext: { capabilities: { drop: ["all"] } } }],
    volumes: [{ name: "h", hostPath: {} }],
  };
  expect(violations({ ...bare, hostNetwork: true })).toEqual([
    "hostNetwork",
    "volume h",
    "allowPrivilegeEscalation",
    "capabilities.drop ALL, in capitals",
    "runAsNonRoot",
    "seccompProfile",
    "readOnlyRootFilesystem",
    "automountServiceAccountToken",
  ]);
});

test("nothing of the chart may talk to the Kubernetes API", async () => {
  for (const file of CI_VALUES) {
    const kinds = (await render({ files: [file] })).map(({ kind }) => kind);
    expect(kinds.filter((kind) => /Role/.test(kind))).toEqual([]);
  }
});
