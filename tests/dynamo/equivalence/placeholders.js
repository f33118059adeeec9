// SPDX-License-Identifier: MIT

/** The names and values of one request's expressions. */
export class Placeholders {
  #names = {};
  #values = {};

  name(attribute) {
    const name = `#n${Object.keys(this.#names).length}`;
    this.#names[name] = attribute;
    return name;
  }
  value(value) {
    const name = `:v${Object.keys(this.#values).length}`;
    this.#values[name] = value;
    return name;
  }
  /** Of steps: names, and numbers for places in lists. */
  path(steps) {
    return steps.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at > 0 ? "." : ""}${this.name(step)}`)).join("");
  }
  sign(sign) {
    return sign;
  }
  between(steps, low, high, is = true) {
    return `${is ? "" : "NOT "}${this.path(steps)} BETWEEN ${this.value(low)} AND ${this.value(high)}`;
  }
  among(steps, values, is = true) {
    return `${is ? "" : "NOT "}${this.path(steps)} IN (${values.map((value) => this.value(value)).join(", ")})`;
  }
  missing(steps, is = true) {
    return `attribute_${is ? "not_" : ""}exists(${this.path(steps)})`;
  }
  isNull(steps, is = true) {
    return `${is ? "" : "NOT "}attribute_type(${this.path(steps)}, ${this.value({ S: "NULL" })})`;
  }
  get input() {
    return {
      ...(Object.keys(this.#names).length > 0 ? { ExpressionAttributeNames: this.#names } : {}),
      ...(Object.keys(this.#values).length > 0 ? { ExpressionAttributeValues: this.#values } : {}),
    };
  }
}
