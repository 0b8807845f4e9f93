/** Schemas by ids that are no numbers: Confluent's GUIDs, and the 64-bit ids of Apicurio. */
import { schemasOfApicurio } from "./apicurio-schemas.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { schemasOfGuid } from "./guid-schemas.ts";
import type { RegistryAnswer } from "./registry-client.ts";
import type { RegistryConnection } from "./registry-connection.ts";
import { answerOfFailure, createGetJson } from "./registry-http.ts";
import type { TextualId, TextualKind } from "./schema-id.ts";

/** One question an id at a time, however many ask. Never rejects. */
export const createTextualSchemas = (config: SchemaRegistryConfig, connection: RegistryConnection) => {
  const getJson = createGetJson(config, connection);
  /** Bounded by the records that wait. */
  const flights = new Map<TextualId, Promise<RegistryAnswer>>();

  const schemasOf = (id: TextualId): Promise<readonly unknown[]> => {
    const [kind, name = ""] = id.split(":", 2) as [TextualKind, string?];
    switch (kind) {
      case "guid":
        return schemasOfGuid(name, connection.url, getJson);
      case "globalId":
      case "contentId":
        return schemasOfApicurio(kind, name, connection.url, getJson);
      case "apicurioId":
        return schemasOfApicurio(config.apicurioIds, name, connection.url, getJson);
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

  return (id: TextualId): Promise<RegistryAnswer> => {
    const flight = flights.get(id) ?? ask(id);
    flights.set(id, flight);
    return flight;
  };
};
