// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const ITEM = {
  p: { S: "a" }, str: { S: "hello" }, num: { N: "5" }, bin: { B: new Uint8Array([1, 2, 3]) }, yes: { BOOL: true }, nil: { NULL: true },
  lst: { L: [{ N: "1" }, { S: "x" }, { M: { deep: { N: "9" } } }] }, obj: { M: { a: { S: "b" } } },
  ss: { SS: ["a", "b"] }, ns: { NS: ["1", "2"] }, bs: { BS: [new Uint8Array([1])] },
};
const VALUES = {
  ":str": { S: "hello" }, ":he": { S: "he" }, ":x": { S: "x" }, ":empty": { S: "" }, ":num": { N: "5.0" }, ":one": { N: "1" }, ":two": { N: "2" }, ":ten": { N: "1e1" }, ":three": { N: "3" },
  ":bin": { B: new Uint8Array([1, 2, 3]) }, ":b1": { B: new Uint8Array([1]) }, ":yes": { BOOL: true }, ":null": { NULL: true },
  ":ss": { SS: ["b", "a"] }, ":ns": { NS: ["2.0", "1"] }, ":list": { L: [{ N: "1" }, { S: "x" }, { M: { deep: { N: "9" } } }] }, ":map": { M: { a: { S: "b" } } },
  ":S": { S: "S" }, ":SS": { S: "SS" }, ":L": { S: "L" }, ":bad": { S: "moon" },
};

describe("conditions", () => {
  let server, client;
  const input = (ConditionExpression) => {
    const used = [...new Set(ConditionExpression.match(/:[A-Za-z0-9_]+/g) ?? [])].filter((name) => VALUES[name]);
    return {
      TableName: "Things", Item: ITEM, ConditionExpression,
      ...(used.length ? { ExpressionAttributeValues: Object.fromEntries(used.map((name) => [name, VALUES[name]])) } : {}),
    };
  };
  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "Things");
    await ask(client, "PutItem", { TableName: "Things", Item: ITEM });
  });
  after(() => server.stop());

  for (const condition of [
    "str = :str", "num = :num", "bin = :bin", "yes = :yes", "nil = :null", "ss = :ss", "ns = :ns", "lst = :list", "obj = :map",
    "str <> :x", "mia <> :x", "mia <> elsewhere", "num < :ten", "num <= :num", "num >= :num", "num > :one", ":one < num", "str > :he", "bin >= :b1",
    "num BETWEEN :one AND :ten", "str IN (:x, :str)", "lst[0] = :one", "lst[2].deep > :one", "obj.a <> :x",
    "attribute_exists(p)", "attribute_exists(lst[2].deep)", "attribute_not_exists(mia)", "attribute_not_exists(lst[7])", "attribute_not_exists(obj.zz)",
    "attribute_type(str, :S)", "attribute_type(ss, :SS)", "attribute_type(lst, :L)", "begins_with(str, :he)", "begins_with(bin, :b1)", "begins_with(str, :empty)",
    "contains(str, :he)", "contains(ss, :x) OR contains(ns, :one)", "contains(lst, :x)", "contains(lst, :one)", "contains(bin, :b1)",
    "size(str) > :one", "size(bin) = :three", "size(lst) = :three", "size(obj) = :one", "size(ss) = :two", "size(str) = size(str) AND num = :num",
    "NOT num = :one", "not num = :one and str = :str", "(num = :one OR str = :str) AND yes = :yes", "num = :one OR str = :str AND yes = :yes",
    "attribute_exists(p)AND num=:num", "  num\n=\t:num ", "NOT (NOT (num = :num))", "NOT attribute_exists(mia)", "NOT mia = :one",
    "num between :one and :ten", "num in (:one, :num)",
  ])
    it(`holds: ${condition}`, () => ask(client, "PutItem", input(condition)));

  for (const condition of [
    "str = :num", "str = :x", "mia = :x", "mia = elsewhere", "mia < :one", "mia BETWEEN :one AND :ten", "mia IN (:x)", "num > :ten", "str > :one", "yes > num",
    "ss = :ns", "lst < obj", "attribute_not_exists(p)", "attribute_exists(mia)", "attribute_exists(obj.a.b)", "attribute_type(num, :S)", "begins_with(num, :he)", "begins_with(mia, :he)",
    "contains(obj, :x)", "contains(num, :one)", "contains(mia, :x)", "contains(ss, :one)", "size(mia) > :one", "NOT num = :num", "num = :num AND str = :x",
    "num <> :num", "attribute_exists(lst[3])",
  ])
    it(`does not hold: ${condition}`, () => refuses(client, "PutItem", input(condition), "ConditionalCheckFailedException", "The conditional request failed"));

  const I = "Invalid ConditionExpression: ";
  for (const [condition, sentence] of [
    ["num", /^Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "num"$/],
    ["num = ", /^Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="$/],
    ["num == :num", `${I}Syntax error; token: "=", near: "== :num"`],
    ["num = 5", `${I}Syntax error; token: "5", near: "= 5"`],
    ["num = :num extra", `${I}Syntax error; token: "extra", near: ":num extra"`],
    ["moon(num)", `${I}Invalid function name; function: moon`],
    ["ATTRIBUTE_EXISTS(num)", `${I}Invalid function name; function: ATTRIBUTE_EXISTS`],
    ["attribute_exists(num, str)", `${I}Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2`],
    ["begins_with(str)", `${I}Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1`],
    ["attribute_exists(:str)", `${I}Operator or function requires a document path; operator or function: attribute_exists`],
    ["attribute_type(str, :bad)", /^Invalid ConditionExpression: Invalid attribute type name found; type: moon, valid types: \{/],
    ["begins_with(str, :num)", `${I}Incorrect operand type for operator or function; operator or function: begins_with, operand type: N`],
    ["num < :yes", `${I}Incorrect operand type for operator or function; operator or function: <, operand type: BOOL`],
    ["size(:num) = :num", `${I}Incorrect operand type for operator or function; operator or function: size, operand type: N`],
    ["size(str)", `${I}The function is not allowed to be used this way in an expression; function: size`],
    ["attribute_exists(num) = :num", `${I}The function is not allowed to be used this way in an expression; function: attribute_exists`],
    ["contains(str, str)", `${I}The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [str]`],
    ["num = num", `${I}The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [num]`],
    ["((num = :num))", `${I}The expression has redundant parentheses;`],
    ["size = :num", `${I}Attribute name is a reserved keyword; reserved keyword: size`],
    ["num = :undefined", `${I}An expression attribute value used in expression is not defined; attribute value: :undefined`],
    ["#undefined = :num", `${I}An expression attribute name used in the document path is not defined; attribute name: #undefined`],
    ["num BETWEEN :ten AND :one", `${I}The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:10}, upper bound operand: AttributeValue: {N:1}`],
    ["num BETWEEN :one AND :x", /^Invalid ConditionExpression: The BETWEEN operator requires same data type for lower and upper bounds; /],
    ["a.b[99999999999] = :num", `${I}List index is not within the allowable range; index: [99999999999]`],
    [Array.from({ length: 302 }, () => "num = :num").join(" OR ").slice(0, 4000).replace(/ OR ?[^ ]*$/, "").replace(/ = ?$/, " = :num"), undefined],
  ].filter(([, sentence]) => sentence))
    it(`refuses: ${condition}`, () => refuses(client, "PutItem", input(condition), "ValidationException", sentence));

  it("refuses 301 operators", () =>
    refuses(client, "PutItem", { ...input(`a=:num${" OR a=:num".repeat(150)}`) }, "ValidationException", "Invalid ConditionExpression: The expression contains too many operators; operator count: 301"));
  it("takes a condition on what is not there", () =>
    ask(client, "PutItem", { TableName: "Things", Item: { p: { S: "fresh" } }, ConditionExpression: "attribute_not_exists(p)" }));
  it("lists names and values that are not used", () =>
    refuses(client, "PutItem", { TableName: "Things", Item: ITEM, ConditionExpression: "num = :num", ExpressionAttributeNames: { "#a": "a", "#b": "b" }, ExpressionAttributeValues: { ":num": { N: "5" }, ":x": { S: "" } } },
      "ValidationException", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}"));
  it("wraps what is wrong with a value", () =>
    refuses(client, "PutItem", { TableName: "Things", Item: ITEM, ConditionExpression: "num = :num", ExpressionAttributeValues: { ":num": { N: "x" } } },
      "ValidationException", "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :num"));
  it("wants an expression for values", () =>
    refuses(client, "PutItem", { TableName: "Things", Item: ITEM, ExpressionAttributeValues: { ":num": { N: "1" } } },
      "ValidationException", "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"));
});
