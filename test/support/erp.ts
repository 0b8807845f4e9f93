/** An ERP for tests: writes Debezium envelopes for rows to real topics, and knows what Sell should hold in the end. */
import type { RecordProducer } from "../../src/domain/stages.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { kafkaConfig } from "../../src/source/config.ts";
import { connectKafka, type KafkaConnection } from "../../src/source/connect-kafka.ts";

export type ErpRow = Readonly<Record<string, string | number | boolean | null>>;

export class Erp implements AsyncDisposable {
  readonly kafka: KafkaConnection;
  readonly #producer: RecordProducer;
  #lsn = 1_000;

  private constructor(kafka: KafkaConnection, producer: RecordProducer) {
    this.kafka = kafka;
    this.#producer = producer;
  }

  /** `login`: `tls` and `sasl` of a broker that wants them. */
  static async connect(brokers: string, login: Readonly<Record<string, unknown>> = {}): Promise<Erp> {
    const config = kafkaConfig.parse({ brokers: [brokers], clientId: "erp", groupId: "erp", ...login });
    const deps = { clock: systemClock, random: Math.random, emit: () => {} };
    const kafka = await connectKafka(config, deps, AbortSignal.timeout(60_000));
    return new Erp(kafka, await kafka.producer());
  }

  async createTopics(names: readonly string[], partitions: number): Promise<void> {
    await this.kafka.admin.createTopics(names.map((topic) => ({ topic, partitions })));
  }

  /** `after` null deletes the row, and a tombstone follows as Debezium sends it. */
  async write(
    topic: string,
    rows: readonly { readonly key: ErpRow; readonly after: ErpRow | null; readonly op?: string }[],
  ): Promise<void> {
    const records = rows.flatMap(({ key, after, op }) => {
      const keyBytes = Buffer.from(JSON.stringify(key));
      const envelope = {
        ...this.#envelope(),
        before: after === null ? key : null,
        after,
        op: op ?? (after === null ? "d" : "u"),
      };
      const value = { topic, key: keyBytes, value: Buffer.from(JSON.stringify(envelope)), headers: [] };
      return after === null ? [value, { topic, key: keyBytes, value: null, headers: [] }] : [value];
    });
    await this.#producer.send(records);
  }

  /** Bytes as they are: poison. */
  async writeRaw(topic: string, key: string, value: string | Buffer, partition?: number): Promise<void> {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    const record = { topic, key: Buffer.from(key), value: bytes, headers: [] };
    await this.#producer.send([partition === undefined ? record : { ...record, partition }]);
  }

  #envelope() {
    const lsn = this.#lsn++;
    const ms = Date.now();
    const source = {
      version: "3.7.0.Final",
      connector: "postgresql",
      name: "erp",
      ts_ms: ms,
      snapshot: "false",
      db: "erp",
    };
    return {
      source: { ...source, sequence: `[null,"${lsn}"]`, schema: "sales", table: "t", txId: lsn, lsn },
      ts_ms: ms,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.close();
    await this.kafka.close();
  }
}
