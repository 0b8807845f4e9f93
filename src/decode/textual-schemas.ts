/** Schemas by ids that are no numbers: Confluent's GUIDs, and the 64-bit ids of Apicurio. Also what a schema is called. */
import { schemasOfApicurio } from "./apicurio-schemas.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { schemasOfGuid } from "./guid-schemas.ts";
import type { RegistryAnswer } from "./registry-answer.ts";
import { answerOfFailure, type GetJson } from "./registry-http.ts";
import type { SchemaId, TextualId, TextualKind } from "./schema-id.ts";

/** One question an id at a time, however many ask. Never rejects. */
export const createTextualSchemas = ({ apicurioIds }: SchemaRegistryConfig, url: string, getJson: GetJson) => {
  /** Bounded by the records that wait. */
  const flights = new Map<TextualId, Promise<RegistryAnswer>>();

  const schemasOf = (id: TextualId): Promise<readonly unknown[]> => {
    const [kind, name = ""] = id.split(":", 2) as [TextualKind, string?];
    switch (kind) {
      case "guid":
        return schemasOfGuid(name, url, getJson);
      case "globalId":
      case "contentId":
        return schemasOfApicurio(kind, name, url, getJson);
      case "apicurioId":
        return schemasOfApicurio(apicurioIds, name, url, getJson);
    }
  };

  const ask = async (id: TextualId): Promise<RegistryAnswer> => {
    try {
      return { status: "found", schemas: await schemasOf(id) };
    } catch (error) {
      return answerOfFailure(error);
    } finally {
      flights.delete(id);
    }
  };

  /** Only Confluent's API is asked, where an id has few subjects, nearly always one. */
  const subject = async (id: SchemaId): Promise<string | null> => {
    if (typeof id !== "number") return null;
    const versions = await getJson(`${url}/schemas/ids/${id}/versions`).catch(() => null);
    const [first] = (Array.isArray(versions) ? versions : []) as readonly ({ readonly subject?: unknown } | null)[];
    return typeof first?.subject === "string" ? first.subject : null;
  };

  return {
    schemas(id: TextualId): Promise<RegistryAnswer> {
      const flight = flights.get(id) ?? ask(id);
      flights.set(id, flight);
      return flight;
    },
    subject,
  };
};
