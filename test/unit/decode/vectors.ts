/** The captured records, and what each is made of. `vectors.json` is data: fed as it is, never edited. */
import type { TopicFormat } from "../../../src/decode/decoder.ts";
import type { Encoding } from "../../../src/decode/encoding.ts";
import type { Format } from "../../../src/decode/formats.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import vectors from "./vectors.json" with { type: "json" };

export interface Vector {
  readonly name: string;
  readonly topic: string;
  readonly encoding: string;
  readonly keyJson: string | null;
  readonly valueJson: string | null;
  readonly keyBase64?: string | null;
  readonly valueBase64?: string | null;
  readonly schemas?: Readonly<Record<string, unknown>>;
  readonly hints?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | { readonly $base64: string }>>;
  readonly expect: Readonly<Record<string, unknown>> & { readonly kind: string };
}

export const VECTORS = vectors as readonly unknown[] as readonly Vector[];

/** By the beginning of a vector's name; the rest are envelopes. */
const FORMATS: readonly (readonly [prefix: string, format: Format])[] = [
  ["flat-", "debezium-json-flattened"],
  ["cloudevents-", "cloudevents"],
  ["outbox-", "outbox"],
  ["mongodb-", "mongodb"],
  ["jdbc-", "json"],
  ["maxwell-", "maxwell"],
  ["canal-", "canal"],
  ["goldengate-", "goldengate"],
  ["qlik-", "qlik"],
  ["aws-dms-", "dms"],
  ["sap-", "sap-odq"],
];

/** That of its shape in JSON, whatever it is encoded in. */
export const shapeOf = ({ name }: Vector): Format =>
  FORMATS.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "debezium-json";

export const formatOf = (vector: Vector): TopicFormat => {
  const { encoding, hints = {} } = vector;
  return { format: shapeOf(vector), encoding: encoding as Encoding, hints };
};

export const bytesOf = ({ keyJson, valueJson, keyBase64, valueBase64, headers }: Vector) => ({
  key: bytes(keyJson, keyBase64),
  value: bytes(valueJson, valueBase64),
  headers: Object.entries(headers).map(
    ([name, value]): RecordHeader => [
      name,
      typeof value === "string" ? Buffer.from(value) : Buffer.from(value.$base64, "base64"),
    ],
  ),
});

const bytes = (json: string | null, base64: string | null | undefined): Buffer | null => {
  if (base64 !== undefined) return base64 === null ? null : Buffer.from(base64, "base64");
  return json === null ? null : Buffer.from(json);
};
