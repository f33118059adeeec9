// SPDX-License-Identifier: MIT
// What is wrong with expressions, in DynamoDB's words, and which of several faults is named.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { useThings } from "../lib/suite.js";
import { B, BOOL, L, M, N, NS, NULL, S, SS } from "../lib/values.js";

const operands = (f, n) => `Incorrect number of operands for operator or function; operator or function: ${f}, number of operands: ${n}`;
const operandType = (f, T) => `Incorrect operand type for operator or function; operator or function: ${f}, operand type: ${T}`;
const misused = (f) => `The function is not allowed to be used this way in an expression; function: ${f}`;
const near = (token, around) => `Syntax error; token: "${token}", near: "${around}"`;
const reserved = (word) => `Attribute name is a reserved keyword; reserved keyword: ${word}`;
const noName = (name) => `An expression attribute name used in the document path is not defined; attribute name: ${name}`;
const noValue = (name) => `An expression attribute value used in expression is not defined; attribute value: ${name}`;
const distinct = (f, path) => `The first operand must be distinct from the remaining operands for this operator or function; operator: ${f}, first operand: ${path}`;

const CONDITIONS = [
  ["", "The expression can not be empty;"],
  ["a = !", near("!", "= !")],
  ["a == :v", near("=", "== :v")],
  ["a = :v AND", near("<EOF>", "AND")],
  ["a", near("<EOF>", "a")],
  ["(a = :v", near("<EOF>", ":v")],
  ["a = :v)", near(")", ":v)")],
  ["a[-1] = :v", near("-", "[-1")],
  ["a[] = :v", near("]", "[] =")],
  ["a.[0] = :v", near("[", ".[0")],
  ["a..b = :v", near(".", "..b")],
  ["_a = :v", /^Syntax error; token: "_/],
  ["1a = :v", /^Syntax error; token: "1/],
  ["a = 5", /^Syntax error; token: "5"/],
  ["a = 'x'", /^Syntax error; token: "'/],
  ["a BETWEEN :v", near("<EOF>", ":v")],
  ["a IN :v", near(":v", "IN :v")],
  ["a IN ()", near(")", "()")],
  ["a = b + :v", near("+", "b + :v")],
  ["SET a = :v", near("a", "SET a =")],
  ["((a = :v))", "The expression has redundant parentheses;"],
  ["moon(a)", "Invalid function name; function: moon"],
  ["ATTRIBUTE_EXISTS(a)", "Invalid function name; function: ATTRIBUTE_EXISTS"],
  ["Size(a) = :v", "Invalid function name; function: Size"],
  ["size(a)", misused("size")],
  ["attribute_exists(a) = :v", misused("attribute_exists")],
  ["if_not_exists(a, :v) = :v", "The function is not allowed in a condition expression; function: if_not_exists"],
  ["attribute_exists()", /^Syntax error; token: "\)"/],
  ["attribute_exists(a, b)", operands("attribute_exists", 2)],
  ["attribute_not_exists(a, b)", operands("attribute_not_exists", 2)],
  ["begins_with(a)", operands("begins_with", 1)],
  ["begins_with(a, :v, :v)", operands("begins_with", 3)],
  ["contains(a)", operands("contains", 1)],
  ["attribute_type(a)", operands("attribute_type", 1)],
  ["size(a, b) = :v", operands("size", 2)],
  ["attribute_exists(:v)", "Operator or function requires a document path; operator or function: attribute_exists"],
  ["attribute_not_exists(:v)", "Operator or function requires a document path; operator or function: attribute_not_exists"],
  ["attribute_type(a, b)", operandType("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"), "loose"],
  ["attribute_type(a, :n)", operandType("attribute_type", "N")],
  ["attribute_type(a, :v)", /^Invalid attribute type name found; type: x, valid types: \{/],
  ["begins_with(a, :n)", operandType("begins_with", "N")],
  ["begins_with(:n, a)", operandType("begins_with", "N")],
  ["begins_with(a, :bool)", operandType("begins_with", "BOOL")],
  ["begins_with(a, :list)", operandType("begins_with", "L")],
  ["size(:n) = :v", operandType("size", "N")],
  ["size(:bool) = :v", operandType("size", "BOOL")],
  ["size(:null) = :v", operandType("size", "NULL")],
  ["a < :list", operandType("<", "L")],
  ["a <= :map", operandType("<=", "M")],
  ["a > :bool", operandType(">", "BOOL")],
  ["a >= :null", operandType(">=", "NULL")],
  ["a < :set", operandType("<", "SS")],
  ["a BETWEEN :n AND :list", operandType("BETWEEN", "L")],
  ["a BETWEEN :five AND :n", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"],
  ["a BETWEEN :v AND :n", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:x}, upper bound operand: AttributeValue: {N:1}"],
  ["a = a", distinct("=", "[a]")],
  ["a.b[0] < a.b[0]", distinct("<", "[a, b, [0]]")],
  ["contains(a, a)", distinct("contains", "[a]")],
  ["begins_with(a.b, a.b)", distinct("begins_with", "[a, b]")],
  ["size = :v", reserved("size")],
  ["a.DATE = :v", reserved("DATE")],
  ["Name = :v", reserved("Name")],
  ["attribute_exists(year)", reserved("year")],
  ["#x = :v", noName("#x")],
  ["a.#x = :v", noName("#x")],
  ["a = :x", noValue(":x")],
  ["a IN (:v, :x)", noValue(":x")],
  ["a[99999999999] = :v", "List index is not within the allowable range; index: [99999999999]"],
  [`a${".b".repeat(32)} = :v`, "The document path has too many nesting levels; nesting levels: 33"],
  // Which one of two faults is told.
  ["moon(size) = :zz", "Invalid function name; function: moon"],
  ["size(a) AND b = ", near("<EOF>", "="), "prefix"],
  ["year = :x", reserved("year")],
  ["((size(a)))", "The expression has redundant parentheses;"],
];

const VALUES = { ":v": S("x"), ":n": N(1), ":five": N(5), ":bool": BOOL(true), ":list": L(), ":map": M({}), ":null": NULL, ":set": SS("a") };

/** Of what is offered, the values that the expression uses. */
function used(expression) {
  const names = Object.keys(VALUES).filter((name) => new RegExp(`${name}\\b`).test(expression));
  return names.length ? Object.fromEntries(names.map((name) => [name, VALUES[name]])) : undefined;
}

const told = (kind, sentence) =>
  sentence instanceof RegExp ? new RegExp(`^Invalid ${kind}: ${sentence.source.replace(/^\^/, "")}`) : `Invalid ${kind}: ${sentence}`;
const short = (expression) => (expression.length > 40 ? `${expression.slice(0, 20)}... (${expression.length})` : expression);

describe("a wrong expression", () => {
  const db = useThings();
  before(() => db.put("one", { a: N(1) }));

  describe("as a condition is refused:", () => {
    for (const [expression, sentence, how] of CONDITIONS)
      it(short(expression) || "an empty one", () =>
        db.invalid("UpdateItem", db.things("one", { ConditionExpression: expression, ExpressionAttributeValues: used(expression) }),
          how === "loose" ? /^Invalid ConditionExpression: / : told("ConditionExpression", sentence)));
  });

  describe("as a filter is refused with the name of what it is:", () => {
    for (const [expression, sentence, how] of CONDITIONS.filter((_, i) => i % 5 === 0))
      it(short(expression) || "an empty one", () =>
        db.invalid("Scan", { TableName: "Things", FilterExpression: expression, ExpressionAttributeValues: used(expression) },
          how === "loose" ? /^Invalid FilterExpression: / : told("FilterExpression", sentence)));
  });

  describe("as a projection is refused:", () => {
    for (const [expression, sentence] of [
      ["", "The expression can not be empty;"],
      ["a,", near("<EOF>", ",")],
      [",a", near(",", ",a")],
      ["a b", near("b", "a b")],
      ["a, :v", near(":v", ", :v")],
      ["a[x]", near("x", "[x]")],
      ["size", reserved("size")],
      ["a, b.Order", reserved("Order")],
      ["#x", noName("#x")],
      ["a, a", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"],
      ["a, a.b", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]"],
      ["a.b[0], a", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b, [0]], path two: [a]"],
      ["a.b, a[1]", "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]"],
      ["a[0], a.b", "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]"],
    ])
      it(expression || "an empty one", () =>
        db.invalid("GetItem", db.things("one", { ProjectionExpression: expression }), told("ProjectionExpression", sentence)));
    it("two names for one path", () =>
      db.invalid("GetItem", db.things("one", { ProjectionExpression: "a, #a", ExpressionAttributeNames: { "#a": "a" } }),
        "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"));
  });

  describe("as an update is refused:", () => {
    const VALUES = { ":v": S("x"), ":n": N(1), ":l": L(), ":s": SS("a"), ":m": M({}), ":bool": BOOL(true), ":null": NULL, ":bin": B([1]) };
    for (const [expression, sentence] of [
      ["a = :v", near("a", "a =")],
      ["SET", near("<EOF>", "SET")],
      ["SET a", near("<EOF>", "a")],
      ["SET a = :v,", near("<EOF>", ",")],
      ["SET a = :v b = :v", near("b", ":v b =")],
      ["SET a = :n * :n", near("*", ":n * :n")],
      ["SET a = :n + :n + :n", near("+", ":n + :n")],
      ["SET a = if_not_exists(a, :n + :n)", near("+", ":n + :n")],
      ["REMOVE a = :v", near("=", "a = :v")],
      ["ADD a", near("<EOF>", "a")],
      ["ADD a b", near("b", "a b")],
      ["ADD a :n :n", near(":n", ":n :n")],
      ["DELETE a", near("<EOF>", "a")],
      ["SET a = :v WHERE b = :v", near("WHERE", ":v WHERE b")],
      ["REMOVE a REMOVE b", "The \"REMOVE\" section can only be used once in an update expression;"],
      ["ADD a :n ADD b :n", "The \"ADD\" section can only be used once in an update expression;"],
      ["DELETE a :s DELETE b :s", "The \"DELETE\" section can only be used once in an update expression;"],
      ["SET a = attribute_exists(b)", "The function is not allowed in an update expression; function: attribute_exists"],
      ["SET a = size(b)", "The function is not allowed in an update expression; function: size"],
      ["SET a = list_append(list_append(a, :l), :l)", misused("list_append")],
      ["SET a = LIST_APPEND(a, :l)", "Invalid function name; function: LIST_APPEND"],
      ["SET a = list_append(a)", operands("list_append", 1)],
      ["SET a = list_append(a, :l, :l)", operands("list_append", 3)],
      ["SET a = if_not_exists(a)", operands("if_not_exists", 1)],
      ["SET a = if_not_exists(:v, :v)", "Operator or function requires a document path; operator or function: if_not_exists"],
      ["SET a = list_append(a, :v)", operandType("list_append", "S")],
      ["SET a = list_append(:n, a)", operandType("list_append", "N")],
      ["SET a = :v + a", operandType("+", "S")],
      ["SET a = a - :l", operandType("-", "L")],
      ["ADD a :v", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"],
      ["ADD a :l", "Incorrect operand type for operator or function; operator: ADD, operand type: LIST"],
      ["ADD a :m", "Incorrect operand type for operator or function; operator: ADD, operand type: MAP"],
      ["ADD a :bool", "Incorrect operand type for operator or function; operator: ADD, operand type: BOOLEAN"],
      ["ADD a :null", "Incorrect operand type for operator or function; operator: ADD, operand type: NULL"],
      ["ADD a :bin", "Incorrect operand type for operator or function; operator: ADD, operand type: BINARY"],
      ["DELETE a :n", "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"],
      ["DELETE a :v", "Incorrect operand type for operator or function; operator: DELETE, operand type: STRING"],
      ["SET a = :v, a = :v", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"],
      ["SET a = :v REMOVE a", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"],
      ["SET a.b = :v ADD a.b.c :n", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, b, c]"],
      ["SET a[0] = :v REMOVE a.b", "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]"],
      ["SET year = :v", reserved("year")],
      ["SET a = status", reserved("status")],
      ["SET #x = :v", noName("#x")],
      ["SET a = :x", noValue(":x")],
      // Which one of two faults is told.
      ["SET year = moon(:v)", reserved("year")],
      ["SET a = moon(:x)", "Invalid function name; function: moon"],
      ["SET #x = :x", noName("#x")],
      ["SET a = :x, a = :x", noValue(":x")],
      ["SET a = :v, a = :v ADD b :v", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"],
    ])
      it(expression, () => {
        const names = Object.keys(VALUES).filter((name) => new RegExp(`${name}\\b`).test(expression));
        const values = names.length ? Object.fromEntries(names.map((name) => [name, VALUES[name]])) : undefined;
        return db.invalid("UpdateItem", db.things("one", { UpdateExpression: expression, ExpressionAttributeValues: values }), told("UpdateExpression", sentence));
      });
  });

  describe("has names and values of its own that are checked:", () => {
    const condition = (more) => db.things("one", { ConditionExpression: "a = :v", ExpressionAttributeValues: { ":v": N(1) }, ...more });
    for (const [what, call, input, sentence] of [
      ["names without an expression", "UpdateItem", { ConditionExpression: undefined, ExpressionAttributeValues: undefined, ExpressionAttributeNames: { "#a": "a" } }, "ExpressionAttributeNames can only be specified when using expressions"],
      ["values without an expression", "UpdateItem", { ConditionExpression: undefined }, "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null"],
      ["values of a delete without an expression", "DeleteItem", { ConditionExpression: undefined }, "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"],
      ["no names at all", "UpdateItem", { ExpressionAttributeNames: {} }, "ExpressionAttributeNames must not be empty"],
      ["no values at all", "UpdateItem", { ConditionExpression: "attribute_exists(a)", ExpressionAttributeValues: {} }, "ExpressionAttributeValues must not be empty"],
      ["a name that is unused", "UpdateItem", { ExpressionAttributeNames: { "#a": "a" } }, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"],
      ["a value that is unused", "UpdateItem", { ExpressionAttributeValues: { ":v": N(1), ":w": N(1) } }, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"],
      ["a name without its #", "UpdateItem", { ExpressionAttributeNames: { a: "a" } }, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\""],
      ["a name that is only #", "UpdateItem", { ExpressionAttributeNames: { "#": "a" } }, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#\""],
      ["a name with a hyphen", "UpdateItem", { ExpressionAttributeNames: { "#a-b": "a" } }, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a-b\""],
      ["a value without its colon", "UpdateItem", { ExpressionAttributeValues: { v: N(1) } }, "ExpressionAttributeValues contains invalid key: Syntax error; key: \"v\""],
      ["a value that is no number", "UpdateItem", { ExpressionAttributeValues: { ":v": N("x") } }, "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v"],
      ["a set without elements", "UpdateItem", { ExpressionAttributeValues: { ":v": NS() } }, "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An number set  may not be empty for key :v"],
      ["an unused name of a failed condition", "UpdateItem", { ExpressionAttributeValues: { ":v": N(9) }, ExpressionAttributeNames: { "#a": "a" } }, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"],
      ["a wrong value before a wrong expression", "UpdateItem", { ConditionExpression: "!", ExpressionAttributeValues: { ":v": N("x") } }, "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v"],
      ["a wrong update before a wrong condition", "UpdateItem", { UpdateExpression: "!", ConditionExpression: "?" }, /^Invalid UpdateExpression: Syntax error; token: "!"/],
    ])
      it(what, () => db.invalid(call, condition(input), sentence));

    it("a value that is empty", async () => {
      const { json } = await db.post("UpdateItem", condition({ ExpressionAttributeValues: { ":v": {} } }));
      assert.equal(json.message, "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :v");
    });
    it("several that are unused are told together", () =>
      db.invalid("UpdateItem", condition({ ExpressionAttributeNames: { "#a": "a", "#b": "b" } }),
        /^Value provided in ExpressionAttributeNames unused in expressions: keys: \{#[ab], #[ab]\}$/));
    it("a wrong expression is told before a missing table", () =>
      db.invalid("UpdateItem", { ...condition({ ConditionExpression: "!" }), TableName: "Missing" }, /^Invalid ConditionExpression: Syntax error/));
    it("values of a query without expressions", () =>
      db.invalid("Query", { TableName: "Things", ExpressionAttributeValues: { ":v": N(1) } },
        "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null"));
  });

  describe("has limits:", () => {
    const scan = (FilterExpression, values, more = {}) => db.ask("Scan", { TableName: "Things", FilterExpression, ExpressionAttributeValues: values, ...more });
    const scanFails = (FilterExpression, values, sentence) =>
      db.invalid("Scan", { TableName: "Things", FilterExpression, ExpressionAttributeValues: values }, `Invalid FilterExpression: ${sentence}`);
    const listOf = (n) => Array.from({ length: n }, (_, i) => `:v${i}`);
    const valuesOf = (n) => Object.fromEntries(listOf(n).map((name, i) => [name, N(i)]));

    it("4096 bytes are an expression", () => scan(`a = :v${" ".repeat(4090)}`, { ":v": N(1) }));
    it("4097 bytes are none", () =>
      scanFails(`a = :v${" ".repeat(4091)}`, { ":v": N(1) }, "Expression size has exceeded the maximum allowed size; expression size: 4097"));
    it("4097 bytes are told before what is wrong in them", () =>
      scanFails("!".repeat(4097), { ":v": N(1) }, "Expression size has exceeded the maximum allowed size; expression size: 4097"));
    it("bytes are counted, not characters", () => scanFails("é".repeat(2049), { ":v": N(1) }, "Expression size has exceeded the maximum allowed size; expression size: 4098"));
    it("300 operators are allowed", async () => {
      const { Count } = await scan(Array.from({ length: 150 }, () => "a=:v").join(" OR ").replace("a=:v", "NOT a=:v"), { ":v": N(1) });
      assert.equal(Count, 1);
    });
    it("301 operators are too many", () =>
      scanFails(Array.from({ length: 151 }, () => "a=:v").join(" OR "), { ":v": N(1) }, "The expression contains too many operators; operator count: 301"));
    it("99 values may stand in IN", async () => assert.equal((await scan(`a IN (${listOf(99).join(",")})`, valuesOf(99))).Count, 1));
    it("a hundred operands are IN's limit, the left one among them", () =>
      db.invalid("Scan", { TableName: "Things", FilterExpression: `a IN (${listOf(101).join(",")})`, ExpressionAttributeValues: valuesOf(101) }, /^Invalid FilterExpression: /));
    it("a placeholder has 255 bytes", () => scan(`a = :${"v".repeat(254)}`, { [`:${"v".repeat(254)}`]: N(1) }));
    it("a placeholder has no 256 bytes", () =>
      db.invalid("Scan", { TableName: "Things", FilterExpression: `a = :${"v".repeat(255)}`, ExpressionAttributeValues: { [`:${"v".repeat(255)}`]: N(1) } }));
    it("names and values have 2 MB together", async () => {
      const letters = ["a", "b", "c", "d", "e"];
      const filter = letters.map((one) => `${one} = :${one}`).join(" OR ");
      const values = Object.fromEntries(letters.map((one) => [`:${one}`, S("x".repeat(400_000))]));
      const used = 5 * (2 + 400_000);
      await scan(`${filter} OR f = :f`, { ...values, ":f": S("x".repeat(2 * 1024 * 1024 - used - 2)) });
      await db.invalid("Scan", { TableName: "Things", FilterExpression: `${filter} OR f = :f`, ExpressionAttributeValues: { ...values, ":f": S("x".repeat(2 * 1024 * 1024 - used - 1)) } },
        /have exceeded the maximum allowed size/);
    });
    it("a path has 32 levels", () => scan(`attribute_exists(a${".b".repeat(31)})`));
  });
});
