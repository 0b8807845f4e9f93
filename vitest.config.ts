import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{unit,issues,sim,planted}/**/*.test.ts"],
          // Ends what hangs; on a crowded machine a property's thousand runs take more than the usual five seconds.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "chart",
          include: ["test/chart/**/*.test.ts"],
          globalSetup: ["test/chart/tools.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: ["test/browser/tools.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          // Longer proofs on real services: a command of their own.
          name: "faults",
          include: ["test/faults/**/*.int.test.ts"],
          globalSetup: ["test/support/services.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.int.test.ts"],
          globalSetup: ["test/support/services.ts"],
          // Real processes on two cores: one file at a time.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
