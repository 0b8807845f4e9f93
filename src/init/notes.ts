/** Comments in a YAML document: whatever they hold, they stay one line each and change no setting. */
import { type Document, isCollection, isMap, isPair, isScalar, type Pair } from "yaml";
import { printable } from "../telemetry/text.ts";

/** Beside the value that the path names, at the end of its line. */
export const remark = (document: Document, path: readonly (string | number)[], text: string): void => {
  const node = document.getIn(path, true);
  if (isScalar(node) || isCollection(node)) node.comment = comment(text);
};

/** Lines of their own before a section, behind those that are there. */
export const remarkBefore = ({ contents }: Document, name: string, text: string): void => {
  const pair = isMap(contents) ? contents.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;
  if (isPair(pair) && isScalar(pair.key)) pair.key.commentBefore = below(pair.key.commentBefore, text);
};

/** A line of its own behind the last entry. */
export const after = (node: unknown, text: string): void => {
  if (isCollection(node)) node.comment = below(node.comment, text);
};

export const comment = (text: string): string => ` ${printable(text)}`;

const below = (there: string | null | undefined, text: string): string =>
  [...(there == null ? [] : [there]), comment(text)].join("\n");

/** All on one line, in braces. */
export const inFlow = (node: unknown): void => {
  if (!isCollection(node)) return;
  node.flow = true;
  for (const item of node.items) inFlow(isPair(item) ? (item as Pair).value : item);
};
