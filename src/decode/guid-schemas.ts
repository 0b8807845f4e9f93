/** Schemas of Confluent's registry by GUID, with what they refer to. */
import { Answered, ofReference } from "./registry-answer.ts";
import type { GetJson } from "./registry-http.ts";

/** As the registry's API has it; `schema` is JSON as text. */
interface Registered {
  readonly schema: string;
  readonly schemaType?: string;
  readonly references?: readonly { readonly subject: string; readonly version: number }[];
}

/** Schemas that one schema may refer to, directly and through others. */
const MAX_REFERENCES = 100;

/** Those referred to first, the schema itself last. */
export const schemasOfGuid = async (guid: string, url: string, getJson: GetJson): Promise<readonly unknown[]> => {
  const seen = new Set<string>();
  const withReferences = async ({ schema, references = [] }: Registered): Promise<readonly unknown[]> => {
    const schemas: unknown[] = [];
    for (const { subject, version } of references) {
      const address = `${url}/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      if (seen.has(address)) continue;
      if (seen.add(address).size > MAX_REFERENCES) throw new Error(`it refers to more than ${MAX_REFERENCES} schemas`);
      const referred = await getJson(address).catch(ofReference);
      schemas.push(...(await withReferences(referred as Registered)));
    }
    return [...schemas, JSON.parse(schema)];
  };
  const registered = (await getJson(`${url}/schemas/guids/${guid}`)) as Registered;
  const { schemaType = "AVRO" } = registered;
  if (schemaType !== "AVRO") throw new Answered({ status: "other-kind", kind: String(schemaType) });
  return withReferences(registered);
};
