/** A preview as text or as JSON. What records hold may be anything, so all of it is made printable. */
import type { Mutation } from "../domain/mutation.ts";
import { countText } from "../lib/numbers.ts";
import type { Comparison } from "../preview/compare.ts";
import { skipSentence } from "../preview/outcome.ts";
import type { Previewed, PreviewedRecord } from "../preview/preview.ts";
import type { ShownRequest } from "../preview/requests.ts";
import { printable } from "../telemetry/text.ts";
import { comparedTotal, comparisonLines } from "./comparison-print.ts";
import { styled, type Terminal } from "./terminal.ts";

/** What the CRM holds of the records that mutations are about; null: nobody was asked. */
export type InSell = ReadonlyMap<Mutation, Comparison>;

export const previewAsText = (
  { records, requests, dialect, isPart }: Previewed,
  inSell: InSell | null,
  terminal: Terminal,
): string => {
  const lines = [
    ...records.flatMap((record) => recordLines(record, inSell, terminal)),
    ...(requests.length === 0 ? [] : ["", styled(terminal, "bold", `Requests, ${dialect} dialect`)]),
    ...requests.flatMap((request) => requestLines(request, terminal)),
    "",
    totalOf(records, requests),
    ...(inSell === null ? [] : [comparedTotal(inSell)]),
    ...(isPart ? ["There are more records; --limit shows more of them."] : []),
  ];
  return `${lines.join("\n")}\n`;
};

const recordLines = (
  { name, mapped }: PreviewedRecord,
  inSell: InSell | null,
  terminal: Terminal,
): readonly string[] => {
  const title = styled(terminal, "bold", printable(name));
  switch (mapped.status) {
    case "skip":
      return [`${title}  ${styled(terminal, "yellow", "skipped")} (${mapped.reason}): ${skipSentence(mapped.reason)}`];
    case "errant": {
      const { stage, reason, message } = mapped.errant;
      return [`${title}  ${styled(terminal, "red", "dead letter")} (${stage}, ${reason}): ${printable(message)}`];
    }
    case "mutations":
      return [
        title,
        ...mapped.mutations.flatMap((mutation) => [
          titleOf(mutation, terminal),
          ...(comparisonLines(inSell?.get(mutation), terminal) ?? mutationLines(mutation)),
        ]),
      ];
  }
};

const titleOf = ({ action, entity, key, lane, route }: Mutation, terminal: Terminal): string =>
  `  ${styled(terminal, "green", action)} ${entity} ${printable(key)}, ${lane}, route "${printable(route)}"`;

const mutationLines = ({ fields, onCreate, refs }: Mutation): readonly string[] => {
  const isEmpty = (data: object): boolean => Object.keys(data).length === 0;
  return [
    ...(isEmpty(fields) ? [] : indented(fields, 4)),
    ...refs.map((ref) => `    ${printable(ref.field)}: the id of ${ref.entity} ${printable(ref.key)}`),
    ...(isEmpty(onCreate) ? [] : ["    and if it is created, in a second write", ...indented(onCreate, 4)]),
  ];
};

const requestLines = ({ method, path, body, records, note }: ShownRequest, terminal: Terminal): readonly string[] => {
  const what = `${records} ${records === 1 ? "record" : "records"}${note === null ? "" : `; ${note}`}`;
  return [
    `${styled(terminal, "green", method)} ${printable(path)}  (${what})`,
    ...(body === null ? [] : indented(body, 2)),
  ];
};

const indented = (value: unknown, by: number): readonly string[] =>
  JSON.stringify(value, null, 2)
    .split("\n")
    .map((line) => " ".repeat(by) + printable(line));

const totalOf = (records: readonly PreviewedRecord[], requests: readonly ShownRequest[]): string => {
  const count = (status: string): string => countText(records.filter(({ mapped }) => mapped.status === status).length);
  return `${countText(records.length)} records: ${count("mutations")} written, ${count("skip")} skipped, ${count("errant")} dead letters; ${countText(requests.length)} requests. Nothing was sent.`;
};

export const previewAsJson = ({ records, ...rest }: Previewed, inSell: InSell | null): string =>
  `${JSON.stringify({ ...rest, records: records.map((record) => recordAsJson(record, inSell)) }, null, 2)}\n`;

const recordAsJson = ({ name, mapped }: PreviewedRecord, inSell: InSell | null) => {
  switch (mapped.status) {
    case "skip":
      return { record: name, status: "skipped", reason: mapped.reason, sentence: skipSentence(mapped.reason) };
    case "errant":
      return { record: name, status: "dead-letter", ...mapped.errant };
    case "mutations":
      return {
        record: name,
        status: "written",
        mutations: mapped.mutations.map((mutation) => mutationAsJson(mutation, inSell)),
      };
  }
};

const mutationAsJson = (mutation: Mutation, inSell: InSell | null) => {
  const { entity, key, action, fields, onCreate, refs, lane, route } = mutation;
  const asked = inSell === null ? {} : { inSell: inSell.get(mutation) };
  return { ...{ entity, key, action, fields, onCreate, refs, lane, route }, ...asked };
};
