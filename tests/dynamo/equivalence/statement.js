// SPDX-License-Identifier: MIT

const quoted = (name) => `"${name.replaceAll("\"", "\"\"")}"`;
const text = (string) => `'${string.replaceAll("'", "''")}'`;

/** Has it a literal? Binaries have none. */
const isLiteral = (value) =>
  value.L ? value.L.every(isLiteral)
  : value.M ? Object.values(value.M).every(isLiteral)
  : value.S !== undefined || /^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(value.N) || value.BOOL !== undefined || value.NULL === true || value.SS?.length > 0 || value.NS?.length > 0;

const literal = (value) =>
  value.S !== undefined ? text(value.S)
  : value.N !== undefined ? value.N
  : value.BOOL !== undefined ? String(value.BOOL)
  : value.NULL ? "null"
  : value.SS ? `<<${value.SS.map(text).join(", ")}>>`
  : value.NS ? `<<${value.NS.join(", ")}>>`
  : value.L ? `[${value.L.map(literal).join(", ")}]`
  : `{${Object.entries(value.M).map(([name, inner]) => `${text(name)}: ${literal(inner)}`).join(", ")}}`;

/** The text of a statement, with question marks for some of its values. */
export class Statement {
  #parameters = [];
  #chance;

  constructor(chance) {
    this.#chance = chance;
  }
  path(steps) {
    return steps.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at > 0 ? "." : ""}${this.#name(step)}`)).join("");
  }
  #name(name) {
    return /^[a-z]+$/.test(name) && this.#chance.percent(50) ? name : quoted(name);
  }
  value(value) {
    if (isLiteral(value) && this.#chance.percent(60)) return literal(value);
    this.#parameters.push(value);
    return "?";
  }
  map(item) {
    return `{${Object.entries(item).map(([name, value]) => `${text(name)}: ${this.value(value)}`).join(", ")}}`;
  }
  #not(is) {
    return is ? "" : "NOT ";
  }
  sign(sign) {
    return sign === "<>" && this.#chance.percent(50) ? "!=" : sign;
  }
  between(steps, low, high, is = true) {
    return `${this.path(steps)} ${this.#not(is)}BETWEEN ${this.value(low)} AND ${this.value(high)}`;
  }
  among(steps, values, is = true) {
    const path = this.path(steps);
    const all = values.map((value) => this.value(value)).join(", ");
    return `${path} ${this.#not(is)}IN ${this.#chance.percent(50) ? `[${all}]` : `(${all})`}`;
  }
  missing(steps, is = true) {
    return `${this.path(steps)} IS ${this.#not(is)}MISSING`;
  }
  isNull(steps, is = true) {
    return `${this.path(steps)} IS ${this.#not(is)}NULL`;
  }
  get input() {
    return this.#parameters.length > 0 ? { Parameters: this.#parameters } : {};
  }
}
