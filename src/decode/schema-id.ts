/** How a record names its schema. */

/** A number is Confluent's id. The others are text, since they exceed 2^53 or are no numbers. */
export type SchemaId = number | TextualId;

export type TextualId = `${TextualKind}:${string}`;

/**
 * A GUID of Confluent's registry; one of Apicurio's two ids; or an id of Apicurio that does not say which of the two it is
 * (`schemaRegistry.apicurioIds`).
 */
export type TextualKind = "guid" | "globalId" | "contentId" | "apicurioId";
