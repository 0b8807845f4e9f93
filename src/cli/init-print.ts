/** What `init` proposes, for a person or as JSON. */
import type { Initiated } from "../init/init.ts";
import type { Draft } from "../init/propose.ts";
import { printable } from "../telemetry/text.ts";
import { styled, type Terminal } from "./terminal.ts";

/** A line a topic: what it becomes, or why it is left out. */
export const proposalAsLines = ({ proposal, looked, passed }: Initiated, terminal: Terminal): string => {
  const { routes, left } = proposal;
  const lines = [
    ...routes.map((draft) => routeLine(draft, terminal)),
    ...left.map(({ topic, why }) => `${styled(terminal, "yellow", "left out")}  ${printable(topic)} ${printable(why)}`),
    `${looked} topics looked at: ${routes.length} proposed, ${left.length} left out.`,
    ...(passed === 0 ? [] : [`${passed} more were not looked at; choose with --topic, as in --topic 'erp.sales.*'.`]),
  ];
  return `${lines.join("\n")}\n`;
};

const routeLine = ({ sampled, entity, fields, open }: Draft, terminal: Terminal): string => {
  const { topic, format, records } = sampled;
  const counts = `${fields.length} fields, ${open.length} columns left to you`;
  return `${styled(terminal, "green", "proposed")}  ${printable(topic)} (${format}, ${records} records) -> ${entity}: ${counts}`;
};

export const proposalAsJson = ({ proposal, looked, passed, config }: Initiated, written: string | null): string => {
  const topics = [
    ...proposal.routes.map(({ sampled, entity, key, keyColumns, fields, open, hints, onDelete }) => ({
      ...{ topic: sampled.topic, status: "proposed", format: sampled.format, records: sampled.records },
      ...{ entity, key, keyColumns, hints, fields, open, onDelete },
    })),
    ...proposal.left.map(({ topic, why }) => ({ topic, status: "left-out", why })),
  ];
  return `${JSON.stringify({ looked, passed, topics, written, config: config?.text ?? null }, null, 2)}\n`;
};
