/** The whole configuration: every stage declares its own section, here they become one. */
import { z } from "zod";
import { adminConfig } from "../admin/config.ts";
import { deadLetterConfig } from "../dead-letter/config.ts";
import { schemaRegistryConfig } from "../decode/config.ts";
import { sellConfig } from "../deliver/config.ts";
import { quotaConfig } from "../gate/config.ts";
import { redisConfig } from "../lib/redis-config.ts";
import { routesConfig } from "../map/config.ts";
import { kafkaConfig } from "../source/config.ts";
import { logConfig } from "../telemetry/config.ts";
import { batchConfig, windowConfig } from "../window/config.ts";

export const configSchema = z.strictObject({
  kafka: kafkaConfig,
  schemaRegistry: schemaRegistryConfig.optional(),
  redis: redisConfig.optional(),
  sell: sellConfig.meta({ description: "Where the records go." }),
  quota: quotaConfig,
  batch: batchConfig.prefault({}).meta({ description: "How changes are gathered into requests." }),
  window: windowConfig.prefault({}).meta({ description: "How much may wait in memory." }),
  deadLetter: deadLetterConfig.meta({ description: "Where records go that can never be delivered." }),
  admin: adminConfig.prefault({}).meta({ description: "Where probes and metrics are served." }),
  log: logConfig.prefault({}).meta({ description: "How much is said on stdout, as JSON lines." }),
  routes: routesConfig,
});

export type Config = z.infer<typeof configSchema>;
