// SPDX-License-Identifier: MIT
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const P = "One or more parameter values were invalid: ";
const N = (n) => ({ N: `${n}` });
const S = (s) => ({ S: s });

describe("Expected", () => {
  let server, client;
  const ITEM = { p: S("a"), str: S("hello"), num: N(5), list: { L: [N(1), S("x")] }, ss: { SS: ["a", "b"] }, nil: { NULL: true } };
  const input = (Expected, more = {}) => ({ TableName: "Things", Item: ITEM, Expected, ...more });
  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "Things");
    await ask(client, "PutItem", { TableName: "Things", Item: ITEM });
  });
  after(() => server.stop());

  const is = (ComparisonOperator, ...AttributeValueList) => ({ ComparisonOperator, ...(AttributeValueList.length ? { AttributeValueList } : {}) });
  for (const [attribute, condition, holds] of [
    ["str", { Value: S("hello") }, true], ["str", { Value: S("x") }, false], ["none", { Value: S("x") }, false], ["none", { Exists: false }, true], ["str", { Exists: false }, false],
    ["num", { Exists: true, Value: N("5.0") }, true],
    ["num", is("EQ", N(5)), true], ["num", is("EQ", S("5")), false], ["list", is("EQ", { L: [N(1), S("x")] }), true], ["ss", is("EQ", { SS: ["b", "a"] }), true],
    ["num", is("NE", N(5)), false], ["num", is("NE", S("5")), true], ["none", is("NE", N(5)), true],
    ["num", is("LT", N(6)), true], ["num", is("LT", N(5)), false], ["num", is("LE", N(5)), true], ["num", is("GT", N(4)), true], ["num", is("GE", N(6)), false], ["none", is("LT", N(5)), false], ["str", is("GT", N(1)), false],
    ["num", is("BETWEEN", N(5), N(6)), true], ["num", is("BETWEEN", N(6), N(7)), false], ["num", is("IN", N(1), N(5)), true], ["num", is("IN", N(1)), false], ["none", is("IN", N(1)), false],
    ["str", is("BEGINS_WITH", S("he")), true], ["num", is("BEGINS_WITH", S("5")), false],
    ["str", is("CONTAINS", S("ell")), true], ["ss", is("CONTAINS", S("a")), true], ["list", is("CONTAINS", S("x")), true], ["list", is("CONTAINS", N(1)), true], ["none", is("CONTAINS", S("a")), false],
    ["str", is("NOT_CONTAINS", S("zz")), true], ["str", is("NOT_CONTAINS", S("ell")), false], ["ss", is("NOT_CONTAINS", S("z")), true], ["none", is("NOT_CONTAINS", S("a")), false],
    ["none", is("NULL"), true], ["nil", is("NULL"), false], ["str", is("NOT_NULL"), true], ["none", is("NOT_NULL"), false], ["nil", is("NOT_NULL"), true],
  ])
    it(`${attribute} ${JSON.stringify(condition)} ${holds ? "holds" : "does not hold"}`, () =>
      holds ? ask(client, "PutItem", input({ [attribute]: condition })) : refuses(client, "PutItem", input({ [attribute]: condition }), "ConditionalCheckFailedException", "The conditional request failed"));

  it("is all of it", () => refuses(client, "PutItem", input({ str: { Value: S("hello") }, num: { Value: N(1) } }), "ConditionalCheckFailedException"));
  it("or any of it", () => ask(client, "PutItem", input({ str: { Value: S("hello") }, num: { Value: N(1) } }, { ConditionalOperator: "OR" })));

  for (const [condition, sentence] of [
    [{ Value: N(1), AttributeValueList: [N(1)] }, `${P}Value and AttributeValueList cannot be used together for Attribute: x`],
    [{ Exists: true, ComparisonOperator: "EQ", Value: N(1) }, `${P}Exists and ComparisonOperator cannot be used together for Attribute: x`],
    [{ ComparisonOperator: "EQ" }, `${P}Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: x`],
    [{ AttributeValueList: [N(1)] }, `${P}AttributeValueList can only be used with a ComparisonOperator for Attribute: x`],
    [{}, `${P}Value must be provided when Exists is null for Attribute: x`],
    [{ Exists: true }, `${P}Value must be provided when Exists is true for Attribute: x`],
    [{ Exists: false, Value: N(1) }, `${P}Value cannot be used when Exists is false for Attribute: x`],
    [is("EQ", N(1), N(2)), `${P}Invalid number of argument(s) for the EQ ComparisonOperator`],
    [is("BETWEEN", N(1)), `${P}Invalid number of argument(s) for the BETWEEN ComparisonOperator`],
    [{ ComparisonOperator: "IN", AttributeValueList: [] }, `${P}Invalid number of argument(s) for the IN ComparisonOperator`],
    [is("NULL", N(1)), `${P}Invalid number of argument(s) for the NULL ComparisonOperator`],
    [is("IN", N(1), S("a")), `${P}AttributeValues inside AttributeValueList must be of same type`],
    [is("LT", { BOOL: true }), `${P}ComparisonOperator LT is not valid for BOOL AttributeValue type`],
    [is("BEGINS_WITH", N(1)), `${P}ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type`],
    [is("CONTAINS", { L: [] }), `${P}ComparisonOperator CONTAINS is not valid for L AttributeValue type`],
    [is("IN", { SS: ["a"] }), `${P}ComparisonOperator IN is not valid for SS AttributeValue type`],
    [is("BETWEEN", N(2), N(1)), "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"],
    [is("EQ", { N: "x" }), "The parameter cannot be converted to a numeric value: x"],
  ])
    it(`refuses ${JSON.stringify(condition)}`, () => refuses(client, "PutItem", input({ x: condition }), "ValidationException", sentence));
  it("refuses an operator for nothing", () => refuses(client, "PutItem", { TableName: "Things", Item: ITEM, ConditionalOperator: "AND" }, "ValidationException", /^ConditionalOperator /));
});
