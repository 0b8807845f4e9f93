/** The configuration's JSON schema as far as we read it ourselves: for sentences about faults, and for the reference. */
import type { Path } from "./problem.ts";

export interface SchemaNode {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: { readonly [name: string]: SchemaNode };
  readonly additionalProperties?: SchemaNode | boolean;
  readonly propertyNames?: SchemaNode;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
}

/** The node itself and, however deep, its alternatives. */
export const alternatives = (node: SchemaNode): readonly SchemaNode[] => [
  node,
  ...[...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])].flatMap(alternatives),
];

/** Every schema that may describe the value at `path`. */
export const schemasAt = (root: SchemaNode, path: Path): readonly SchemaNode[] =>
  path.reduce<readonly SchemaNode[]>(
    (nodes, part) => nodes.flatMap((node) => childrenOf(node, part)).flatMap(alternatives),
    alternatives(root),
  );

const childrenOf = (node: SchemaNode, part: string | number): readonly SchemaNode[] => {
  if (typeof part === "number") return node.items === undefined ? [] : [node.items];
  const named = node.properties?.[part];
  if (named !== undefined) return [named];
  return typeof node.additionalProperties === "object" ? [node.additionalProperties] : [];
};
