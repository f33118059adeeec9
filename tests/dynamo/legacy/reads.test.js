// SPDX-License-Identifier: MIT
// KeyConditions, QueryFilter, ScanFilter, AttributesToGet: how reads were asked for before there were expressions.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { attribute, index, KEYS_ONLY, P, useServer } from "../lib/suite.js";
import { B, BOOL, L, M, N, NS, NULL, S, SS } from "../lib/values.js";

const op = (ComparisonOperator, ...AttributeValueList) => (AttributeValueList.length ? { ComparisonOperator, AttributeValueList } : { ComparisonOperator });
const show = (condition) => JSON.stringify(condition, (_, part) => (part instanceof Uint8Array ? [...part].join(" ") : part)).slice(0, 120);
const mixed = (old, young) => `Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {${old}} Expression parameters: {${young}}`;
const arguments_ = (operator) => `${P}Invalid number of argument(s) for the ${operator} ComparisonOperator`;
const notFor = (operator, type) => `${P}ComparisonOperator ${operator} is not valid for ${type} AttributeValue type`;

describe("legacy reads", () => {
  const db = useServer();
  const EQ = { p: op("EQ", S("a")) };
  const found = ({ Items }) => Items.map(({ s }) => s.S ?? s.N ?? Buffer.from(s.B).toString());

  before(async () => {
    for (const type of ["S", "N", "B"]) await db.makeTable(`By${type}`, type, type === "N" ? {
      attributes: [attribute("g")],
      input: { GlobalSecondaryIndexes: [index("ByG", "g", "s", KEYS_ONLY)] },
    } : {});
    await db.makeTable("Hash");
    const items = {
      ByS: ["", "a", "ab", "abc", "b", "ba"].slice(1).map((s) => ({ p: S("a"), s: S(s) })),
      ByB: ["a", "ab", "b"].map((s) => ({ p: S("a"), s: B(s) })),
      ByN: [
        { n: N(1), str: S("hello"), yes: BOOL(true) },
        { n: N(2), str: S("help"), strs: SS("a", "b"), l: L(N(1), S("x")) },
        { n: S("2"), nil: NULL, nums: NS(1, 2), m: M({ a: N(1) }) },
        { bin: B([1, 2]), str: S("") },
        {},
      ].map((item, i) => ({ p: S("a"), s: N(i), g: S("x"), ...item })),
      Hash: [{ p: S("a") }],
    };
    await db.ask("BatchWriteItem", { RequestItems: Object.fromEntries(Object.entries(items).map(([name, all]) => [name, all.map((Item) => ({ PutRequest: { Item } }))])) });
  });

  describe("KeyConditions find", () => {
    for (const [table, condition, wanted] of [
      ["ByS", undefined, ["a", "ab", "abc", "b", "ba"]],
      ["ByS", op("EQ", S("ab")), ["ab"]],
      ["ByS", op("LT", S("b")), ["a", "ab", "abc"]],
      ["ByS", op("LE", S("b")), ["a", "ab", "abc", "b"]],
      ["ByS", op("GT", S("abc")), ["b", "ba"]],
      ["ByS", op("GE", S("abc")), ["abc", "b", "ba"]],
      ["ByS", op("BETWEEN", S("ab"), S("b")), ["ab", "abc", "b"]],
      ["ByS", op("BEGINS_WITH", S("ab")), ["ab", "abc"]],
      ["ByS", op("EQ", S("none")), []],
      ["ByN", op("EQ", N("1.0")), ["1"]],
      ["ByN", op("BETWEEN", N("0.5"), N("2.5")), ["1", "2"]],
      ["ByN", op("GT", N(-1)), ["0", "1", "2", "3", "4"]],
      ["ByB", op("BEGINS_WITH", B("a")), ["a", "ab"]],
      ["ByB", op("GE", B("ab")), ["ab", "b"]],
    ])
      it(`${show(condition ?? "all")} in ${table}`, async () =>
        assert.deepEqual(found(await db.ask("Query", { TableName: table, KeyConditions: { ...EQ, ...(condition ? { s: condition } : {}) } })), wanted));
    it("downward", async () => assert.deepEqual(found(await db.ask("Query", { TableName: "ByS", KeyConditions: EQ, ScanIndexForward: false, Limit: 2 })), ["ba", "b"]));
    it("in an index", async () => assert.deepEqual(found(await db.ask("Query", { TableName: "ByN", IndexName: "ByG", KeyConditions: { g: op("EQ", S("x")), s: op("LT", N(2)) } })), ["0", "1"]));
    it("page by page", async () => {
      const first = await db.ask("Query", { TableName: "ByN", KeyConditions: EQ, Limit: 3 });
      assert.deepEqual(first.LastEvaluatedKey, { p: S("a"), s: N(2) });
      assert.deepEqual(found(await db.ask("Query", { TableName: "ByN", KeyConditions: EQ, ExclusiveStartKey: first.LastEvaluatedKey })), ["3", "4"]);
    });
  });

  describe("KeyConditions are refused:", () => {
    for (const [what, input, sentence] of [
      ["none", { KeyConditions: {} }, undefined],
      ["no partition key", { KeyConditions: { s: op("EQ", S("a")) } }, "Query condition missed key schema element: p"],
      ["another attribute", { KeyConditions: { ...EQ, v: op("EQ", S("a")) } }, "Query condition missed key schema element: s"],
      ["three of them", { KeyConditions: { ...EQ, s: op("EQ", S("a")), v: op("EQ", S("a")) } }, "Conditions can be of length 1 or 2 only"],
      ["a partition key that is less", { KeyConditions: { p: op("LT", S("a")) } }, "Query key condition not supported"],
      ["a partition key that begins so", { KeyConditions: { p: op("BEGINS_WITH", S("a")) } }, "Query key condition not supported"],
      ["a partition key of another type", { KeyConditions: { p: op("EQ", N(1)) } }, `${P}Condition parameter type does not match schema type`],
      ["a sort key of another type", { KeyConditions: { ...EQ, s: op("EQ", N(1)) } }, `${P}Condition parameter type does not match schema type`],
      ["a sort key between other types", { KeyConditions: { ...EQ, s: op("BETWEEN", N(1), N(2)) } }, `${P}Condition parameter type does not match schema type`],
      ["an equality with two", { KeyConditions: { p: op("EQ", S("a"), S("b")) } }, arguments_("EQ")],
      ["an equality with nothing", { KeyConditions: { p: op("EQ") } }, arguments_("EQ")],
      ["BETWEEN with one", { KeyConditions: { ...EQ, s: op("BETWEEN", S("a")) } }, arguments_("BETWEEN")],
      ["BETWEEN with three", { KeyConditions: { ...EQ, s: op("BETWEEN", S("a"), S("b"), S("c")) } }, arguments_("BETWEEN")],
      ["BETWEEN the wrong way round", { KeyConditions: { ...EQ, s: op("BETWEEN", S("b"), S("a")) } }, "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"],
      ["BETWEEN two types", { KeyConditions: { ...EQ, s: op("BETWEEN", S("b"), N(1)) } }, `${P}AttributeValues inside AttributeValueList must be of same type`],
      ["an order of booleans", { KeyConditions: { ...EQ, s: op("LT", BOOL(true)) } }, notFor("LT", "BOOL")],
      ["NE", { KeyConditions: { ...EQ, s: op("NE", S("a")) } }, "Attempted conditional constraint is not an indexable operation"],
      ["IN", { KeyConditions: { ...EQ, s: op("IN", S("a")) } }, "Attempted conditional constraint is not an indexable operation"],
      ["NULL", { KeyConditions: { ...EQ, s: op("NULL") } }, "Attempted conditional constraint is not an indexable operation"],
      ["NOT_NULL", { KeyConditions: { ...EQ, s: op("NOT_NULL") } }, "Attempted conditional constraint is not an indexable operation"],
      ["CONTAINS", { KeyConditions: { ...EQ, s: op("CONTAINS", S("a")) } }, "Attempted conditional constraint is not an indexable operation"],
      ["NOT_CONTAINS", { KeyConditions: { ...EQ, s: op("NOT_CONTAINS", S("a")) } }, "Attempted conditional constraint is not an indexable operation"],
      ["an operator that is none", { KeyConditions: { p: op("IS", S("a")) } }, /at 'keyConditions\.p\.member\.comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: \[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS\]$/],
      ["no operator", { KeyConditions: { p: { AttributeValueList: [S("a")] } } }, /Value null at 'keyConditions\.p\.member\.comparisonOperator' failed to satisfy constraint: Member must not be null$/],
      ["a value that is none", { KeyConditions: { p: op("EQ", N("x")) } }, "The parameter cannot be converted to a numeric value: x"],
      ["an expression beside them", { KeyConditions: EQ, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("a") } }, mixed("KeyConditions", "KeyConditionExpression")],
      ["a filter expression beside them", { KeyConditions: EQ, FilterExpression: "v = :p", ExpressionAttributeValues: { ":p": S("a") } }, mixed("KeyConditions", "FilterExpression")],
      ["a projection expression beside them", { KeyConditions: EQ, ProjectionExpression: "v" }, mixed("KeyConditions", "ProjectionExpression")],
      ["names beside them", { KeyConditions: EQ, ExpressionAttributeNames: { "#a": "a" } }, "ExpressionAttributeNames can only be specified when using expressions"],
    ])
      it(what, () => db.invalid("Query", { TableName: "ByS", ...input }, sentence));
    it("a sort key where there is none", () => db.invalid("Query", { TableName: "Hash", KeyConditions: { ...EQ, s: op("EQ", S("a")) } }));
  });

  const FILTERS = [
    [{ n: op("EQ", N("2.0")) }, ["1"]],
    [{ n: op("EQ", S("2")) }, ["2"]],
    [{ n: op("NE", N(1)) }, ["1", "2", "3", "4"]],
    [{ n: op("LT", N(2)) }, ["0"]],
    [{ n: op("LE", N(2)) }, ["0", "1"]],
    [{ n: op("GT", N(1)) }, ["1"]],
    [{ n: op("GE", N(1)) }, ["0", "1"]],
    [{ n: op("BETWEEN", N(0), N(1)) }, ["0"]],
    [{ n: op("IN", N(2), N(7)) }, ["1"]],
    [{ n: op("NULL") }, ["3", "4"]],
    [{ n: op("NOT_NULL") }, ["0", "1", "2"]],
    [{ nil: op("NOT_NULL") }, ["2"]],
    [{ nil: op("EQ", NULL) }, ["2"]],
    [{ yes: op("EQ", BOOL(true)) }, ["0"]],
    [{ m: op("EQ", M({ a: N("1.0") })) }, ["2"]],
    [{ l: op("EQ", L(N(1), S("x"))) }, ["1"]],
    [{ strs: op("EQ", SS("b", "a")) }, ["1"]],
    [{ strs: op("CONTAINS", S("a")) }, ["1"]],
    [{ nums: op("CONTAINS", N("2.0")) }, ["2"]],
    [{ l: op("CONTAINS", S("x")) }, ["1"]],
    [{ str: op("CONTAINS", S("el")) }, ["0", "1"]],
    [{ str: op("NOT_CONTAINS", S("lp")) }, ["0", "3"]],
    [{ str: op("BEGINS_WITH", S("hel")) }, ["0", "1"]],
    [{ bin: op("BEGINS_WITH", B([1])) }, ["3"]],
    [{ bin: op("GT", B([1])) }, ["3"]],
    [{ "m.a": op("NOT_NULL") }, []],
    [{ str: op("NOT_NULL"), n: op("NOT_NULL") }, ["0", "1"]],
    [{ str: op("NOT_NULL"), n: op("NOT_NULL") }, ["0", "1"], "AND"],
    [{ str: op("NULL"), n: op("EQ", N(1)) }, ["0", "2", "4"], "OR"],
  ];
  for (const [filter, wanted, ConditionalOperator] of FILTERS) {
    it(`QueryFilter ${show(filter)} ${ConditionalOperator ?? ""}`, async () => {
      const said = await db.ask("Query", { TableName: "ByN", KeyConditions: EQ, QueryFilter: filter, ConditionalOperator });
      assert.deepEqual([found(said), said.Count, said.ScannedCount], [wanted, wanted.length, 5]);
    });
    it(`ScanFilter ${show(filter)} ${ConditionalOperator ?? ""}`, async () => {
      const said = await db.ask("Scan", { TableName: "ByN", ScanFilter: filter, ConditionalOperator });
      assert.deepEqual([found(said), said.Count, said.ScannedCount], [wanted, wanted.length, 5]);
    });
  }
  it("ScanFilter may be of keys", async () => assert.deepEqual(found(await db.ask("Scan", { TableName: "ByN", ScanFilter: { s: op("GT", N(2)), p: op("EQ", S("a")) } })), ["3", "4"]));
  it("an empty ScanFilter lets all pass", async () => assert.equal((await db.ask("Scan", { TableName: "ByN", ScanFilter: {} })).Count, 5));
  it("QueryFilter goes with an expression's absence only", () =>
    db.invalid("Query", { TableName: "ByN", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("a") }, QueryFilter: { n: op("NULL") } }, mixed("QueryFilter", "KeyConditionExpression")));

  describe("filters are refused:", () => {
    for (const [what, filter, sentence, more] of [
      ["a count of arguments", { n: op("EQ", N(1), N(2)) }, arguments_("EQ")],
      ["NULL with an argument", { n: op("NULL", N(1)) }, arguments_("NULL")],
      ["IN with nothing", { n: op("IN") }, arguments_("IN")],
      ["IN of two types", { n: op("IN", N(1), S("1")) }, `${P}AttributeValues inside AttributeValueList must be of same type`],
      ["IN of sets", { n: op("IN", SS("a")) }, notFor("IN", "SS")],
      ["CONTAINS of a set", { n: op("CONTAINS", SS("a")) }, notFor("CONTAINS", "SS")],
      ["BEGINS_WITH of a number", { n: op("BEGINS_WITH", N(1)) }, notFor("BEGINS_WITH", "N")],
      ["GT of a map", { n: op("GT", M({})) }, notFor("GT", "M")],
      ["BETWEEN lists", { n: op("BETWEEN", L(), L()) }, notFor("BETWEEN", "L")],
      ["an empty set", { n: op("EQ", SS()) }, `${P}An string set  may not be empty`],
      ["an operator that is none", { n: op("eq", N(1)) }, /comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: /],
      ["a bad conditional operator", { n: op("NULL"), m: op("NULL") }, "1 validation error detected: Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]", { ConditionalOperator: "XOR" }],
      ["OR of nothing", {}, /ConditionalOperator/, { ConditionalOperator: "OR" }],
      ["OR of no filter", undefined, /ConditionalOperator/, { ConditionalOperator: "OR" }],
    ]) {
      it(`${what}, in a scan`, () => db.invalid("Scan", { TableName: "ByN", ScanFilter: filter, ...more }, sentence));
      it(`${what}, in a query`, () => db.invalid("Query", { TableName: "ByN", KeyConditions: EQ, QueryFilter: filter, ...more }, sentence));
    }
    it("a filter on the queried key", () => db.invalid("Query", { TableName: "ByN", KeyConditions: EQ, QueryFilter: { s: op("EQ", N(1)) } }, "QueryFilter can only contain non-primary key attributes: Primary key attribute: s"));
    it("a scan with both kinds", () =>
      db.invalid("Scan", { TableName: "ByN", ScanFilter: { n: op("NULL") }, FilterExpression: "attribute_exists(n)" }, mixed("ScanFilter", "FilterExpression")));
    it("a scan with attributes and an expression", () =>
      db.invalid("Scan", { TableName: "ByN", AttributesToGet: ["n"], FilterExpression: "attribute_exists(n)" }, mixed("AttributesToGet", "FilterExpression")));
    it("a scan with everything of both kinds", () =>
      db.invalid("Scan", { TableName: "ByN", AttributesToGet: ["n"], ScanFilter: { n: op("NULL"), m: op("NULL") }, ConditionalOperator: "OR", FilterExpression: "attribute_exists(n)", ProjectionExpression: "n" },
        /^Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \{[^}]*AttributesToGet[^}]*\} Expression parameters: \{[^}]*ProjectionExpression[^}]*\}$/));
  });

  describe("AttributesToGet", () => {
    for (const [call, input] of [["Scan", {}], ["Query", { KeyConditions: { ...EQ, s: op("EQ", N(0)) } }]]) {
      it(`gives a ${call} what is asked`, async () =>
        assert.deepEqual((await db.ask(call, { TableName: "ByN", AttributesToGet: ["n", "nothing"], Limit: 1, ...input })).Items, [{ n: N(1) }]));
      it(`has a ${call}'s empty items`, async () => assert.deepEqual((await db.ask(call, { TableName: "ByN", AttributesToGet: ["nothing"], Limit: 1, ...input })).Items, [{}]));
      it(`knows no paths in a ${call}`, async () => assert.deepEqual((await db.ask(call, { TableName: "ByN", AttributesToGet: ["m.a", "l[0]"], Limit: 1, ...input })).Items, [{}]));
      it(`has nothing twice in a ${call}`, () => db.invalid(call, { TableName: "ByN", AttributesToGet: ["n", "m", "n"], ...input }, `${P}Duplicate value in attribute name: n`));
      it(`asks a ${call} for something`, () => db.invalid(call, { TableName: "ByN", AttributesToGet: [], ...input }, "1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1"));
      it(`does not go with COUNT in a ${call}`, () => db.invalid(call, { TableName: "ByN", AttributesToGet: ["n"], Select: "COUNT", ...input }, /AttributesToGet/));
      it(`goes with SPECIFIC_ATTRIBUTES in a ${call}`, async () =>
        assert.deepEqual((await db.ask(call, { TableName: "ByN", AttributesToGet: ["n"], Select: "SPECIFIC_ATTRIBUTES", Limit: 1, ...input })).Items, [{ n: N(1) }]));
    }
    it("gives BatchGetItem what is asked", async () =>
      assert.deepEqual((await db.ask("BatchGetItem", { RequestItems: { ByN: { Keys: [{ p: S("a"), s: N(0) }], AttributesToGet: ["n"] } } })).Responses.ByN, [{ n: N(1) }]));
    it("has nothing twice in BatchGetItem", () =>
      db.invalid("BatchGetItem", { RequestItems: { ByN: { Keys: [{ p: S("a"), s: N(0) }], AttributesToGet: ["n", "n"] } } }, `${P}Duplicate value in attribute name: n`));
  });
});
