/** What is wrong with an expression whatever field it is for: templates, time zones, countries, constants that do not convert. */
import { getCountries } from "libphonenumber-js";
import { IANAZone } from "luxon";
import { compileConversion } from "./convert.ts";
import type { ColumnExpression, FieldExpression, KeyExpression, NameExpression, Step } from "./expression-config.ts";
import { isBroken, keyTemplate, parseTemplate, type Template } from "./template.ts";

/** Messages to be read behind the field's path. */
export const expressionProblems = (expression: FieldExpression): readonly string[] => {
  if (typeof expression === "string" || "value" in expression) return [];
  if ("each" in expression)
    return Object.entries(expression.each).flatMap(([name, part]) =>
      expressionProblems(part).map((problem) => `(${name}) ${problem}`),
    );
  if ("owner" in expression) return nameProblems(expression.owner);
  if ("stage" in expression) return nameProblems(expression.stage);
  if ("template" in expression) return templateProblems(parseTemplate(expression.template));
  return "ref" in expression ? keyProblems(expression.key) : columnProblems(expression);
};

const nameProblems = (name: NameExpression): readonly string[] => {
  if (typeof name === "string") return [];
  return "template" in name ? templateProblems(parseTemplate(name.template)) : columnProblems(name);
};

/** A key also needs a column, and something between two: a constant, or 1 and 23 beside 12 and 3, would be one key for many rows. */
export const keyProblems = (key: KeyExpression): readonly string[] => {
  const template = keyTemplate(key);
  if (isBroken(template)) return templateProblems(template);
  const { literals, columns } = template;
  if (columns.length === 0)
    return ["needs a column in its key, else every row would mean the same record; write it like C-${id}."];
  const touching = columns.findIndex((_, index) => index > 0 && literals[index] === "");
  if (touching < 0) return [];
  const [left, right] = [columns[touching - 1], columns[touching]];
  return [
    `needs a separator in its key, else different rows could mean the same record; write \${${left}}-\${${right}}.`,
  ];
};

const templateProblems = (template: Template): readonly string[] =>
  isBroken(template) ? ["has a ${ without a column name and a closing }; write it like C-${id}."] : [];

const columnProblems = ({ transform, as, values = {}, default: fallback }: ColumnExpression): readonly string[] => {
  const convert = as === undefined ? null : compileConversion(as);
  const constants = [...Object.values(values), fallback ?? null].filter((constant) => constant !== null);
  const inconvertible = constants.filter((constant) => convert !== null && convert(constant) === undefined);
  return [
    ...[transform ?? []].flat().flatMap(stepProblems),
    ...inconvertible.map((constant) => `writes "${constant}", which is not ${as}; correct it.`),
  ];
};

const stepProblems = (step: Step): readonly string[] => {
  if (typeof step === "string") return [];
  if ("date" in step && !IANAZone.isValidZone(step.date.zone))
    return [`knows no time zone "${step.date.zone}"; write one like Europe/Berlin.`];
  if ("phone" in step && !COUNTRIES.has(step.phone))
    return [`knows no country "${step.phone}"; write an ISO 3166 code like DE.`];
  return [];
};

const COUNTRIES: ReadonlySet<string> = new Set(getCountries());
