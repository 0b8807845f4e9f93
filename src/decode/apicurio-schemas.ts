/**
 * Schemas by Apicurio's own ids, in its own API. By globalId it gives a schema with all it refers to inside; by contentId it
 * does not, and the references are asked for one by one.
 */
import { ofReference } from "./registry-answer.ts";
import type { GetJson } from "./registry-http.ts";

interface Reference {
  readonly groupId: string | null;
  readonly artifactId: string;
  readonly version: string;
}

/** The second and the third version of the API spell the wish for a self-contained schema differently. */
const WHOLE = "?dereference=true&references=DEREFERENCE";
const MAX_REFERENCES = 100;

/** Those referred to first, the schema itself last. `url` is that of either API: they are served side by side. */
export const schemasOfApicurio = async (
  kind: "globalId" | "contentId",
  id: string,
  url: string,
  getJson: GetJson,
): Promise<readonly unknown[]> => {
  const api = url.replace(/\/ccompat\/v\d+$/, "/registry/v2");
  const schema = await getJson(`${api}/ids/${kind}s/${id}${WHOLE}`);
  if (kind === "globalId") return [schema];
  const references = (await getJson(`${api}/ids/contentIds/${id}/references`)) as readonly Reference[];
  if (references.length > MAX_REFERENCES) throw new Error(`it refers to more than ${MAX_REFERENCES} schemas`);
  const schemas: unknown[] = [];
  for (const reference of references) schemas.push(await getJson(addressOf(reference, api)).catch(ofReference));
  return [...schemas, schema];
};

const addressOf = ({ groupId, artifactId, version }: Reference, api: string): string => {
  const [group, artifact, name] = [groupId ?? "default", artifactId, version].map(encodeURIComponent);
  const content = api.endsWith("/v2") ? "" : "/content";
  return `${api}/groups/${group}/artifacts/${artifact}/versions/${name}${content}${WHOLE}`;
};
