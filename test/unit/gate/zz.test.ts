import { it } from "vitest";
import { quotaConfig } from "../../../src/gate/config.ts";
import { createGate } from "../../../src/gate/gate.ts";
import { FakeClock } from "../../support/fake-clock.ts";
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
it("x", async () => {
    const clock = new FakeClock();
    const quota = quotaConfig.parse({ windows: [{ limit: 20, perMs: 1_000 }], guardMs: 0 });
    const gate = createGate({ quota, redis: null, scopeText: "x", replicaId: "a", clock, emit: () => {} });
    const stop = new AbortController();
    const g: any[] = [];
    for (const lane of ["live", "backfill"] as const) void (async () => { while (true) { const p = await gate.acquire(lane, stop.signal); g.push([lane, p.grantedAtMs-1e6]); } })().catch(()=>{});
    for (let i = 0; i < 800; i++) { clock.advance(5); await settle(); }
    stop.abort(); await gate.close();
    console.log(g.slice(0,60).map(x=>x.join(" ")).join("\n"));
});
