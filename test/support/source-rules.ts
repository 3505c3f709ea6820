import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';

export interface Place {
  file: string;
  line: number;
  text: string;
}

/** What SQL begins with in this code. */
const SQL =
  /^\s*(select|insert|update|delete|with|create|alter|drop|grant|revoke|copy|truncate|listen|begin|declare|order by|and|or|where|from|join|left join)\s/i;

const WORDS_OF_SQL = /\b(?:select|insert into|update|delete from|with|declare|query)\b/i;

/**
 * Where something that is not a constant is written into SQL. Constants are literals, names in capitals or given to
 * literals, and what functions make of such alone; values are parameters ($1).
 */
export function interpolationsIn(file: string, source: string): Place[] {
  // Most files need not be parsed for that.
  if (!(source.includes('${') || source.includes('.query(')) || !WORDS_OF_SQL.test(source)) return [];
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: Place[] = [];
  const named = constantsOf(parsed);
  const isConstant = (node: ts.Expression): boolean => {
    if (ts.isLiteralExpression(node)) return true;
    if (ts.isIdentifier(node)) return /^[A-Z][A-Z0-9_]*$/.test(node.text) || named.has(node.text);
    if (ts.isParenthesizedExpression(node)) return isConstant(node.expression);
    if (ts.isConditionalExpression(node)) return isConstant(node.whenTrue) && isConstant(node.whenFalse);
    if (ts.isBinaryExpression(node)) return isConstant(node.left) && isConstant(node.right);
    return ts.isCallExpression(node) && node.arguments.every(isConstant) && ts.isIdentifier(node.expression);
  };
  const report = (node: ts.Node) =>
    found.push({
      file,
      line: parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1,
      text: node.getText().replaceAll(/\s+/g, ' ').slice(0, 80),
    });
  const visit = (node: ts.Node): void => {
    if (ts.isTemplateExpression(node) && (SQL.test(node.head.text) || isQueried(node)))
      node.templateSpans
        .filter(({ expression }) => !isConstant(expression))
        .forEach((span) => report(span.expression));
    else if (isQueried(node) && ts.isBinaryExpression(node) && !isConstant(node)) report(node);
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

/** The first argument of `….query(…)`. */
function isQueried(node: ts.Node): boolean {
  const { parent } = node;
  return (
    parent !== undefined &&
    ts.isCallExpression(parent) &&
    parent.arguments[0] === node &&
    ts.isPropertyAccessExpression(parent.expression) &&
    parent.expression.name.text === 'query'
  );
}

/** Names that mean a literal wherever they stand in the file. */
function constantsOf(parsed: ts.SourceFile): Set<string> {
  const constants = new Set<string>();
  const others = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (
      (ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)) &&
      ts.isIdentifier(node.name)
    ) {
      const isLiteral =
        ts.isVariableDeclaration(node) &&
        node.initializer !== undefined &&
        ts.isStringLiteralLike(node.initializer);
      const isConst = (node.parent.flags & ts.NodeFlags.Const) !== 0;
      (isLiteral && isConst ? constants : others).add(node.name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return new Set([...constants].filter((name) => !others.has(name)));
}

/** Calls that run text as code or hand it to a shell. */
export function dangersIn(file: string, source: string): Place[] {
  const DANGERS =
    /(?<![.\w])eval\(|\bnew Function\(|\bshell: true|\bexecSync\(|(?<![.\w])exec\(|\.innerHTML\s*=|node:vm/;
  return linesOf(file, source).filter(({ text }) => DANGERS.test(text) && !/^\s*(\/?\*|\/\/)/.test(text));
}

const SECRETS: Record<string, RegExp> = {
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}/,
  'an access key of AWS': /\bAKIA[0-9A-Z]{16}\b/,
  'a token of GitHub': /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
  'a token of Slack': /\bxox[abpr]-[A-Za-z0-9-]{20,}/,
  'a key of a model provider': /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}/,
  'a webhook secret': /\bwhsec_[A-Za-z0-9+/=]{32,}/,
  'an API key of ours': /\bnav_[A-Za-z0-9]{8}_[A-Za-z0-9]{30,}/,
  'a signed token': /\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{40,}/,
};
const ASSIGNED =
  /(?:secret|password|passwd|token|api_?key|credential)\w*['"]?\s*[:=]\s*['"`]([\w+/=-]{20,})['"`]/gi;
/** Bits a character; English words and names have less, random base 64 has more. */
const RANDOM_BITS = 4.2;

/** What looks like a secret that somebody has left behind: by its form, or because it is random and called one. */
export function secretsIn(file: string, source: string): Place[] {
  return linesOf(file, source).flatMap((place) => {
    const form = Object.entries(SECRETS).find(([, pattern]) => pattern.test(place.text));
    if (form) return [{ ...place, text: form[0] }];
    const random = [...place.text.matchAll(ASSIGNED)].some(([, value]) => entropyOf(value!) > RANDOM_BITS);
    return random ? [{ ...place, text: 'something random that is called a secret' }] : [];
  });
}

/** Shannon's, in bits a character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return -[...counts.values()].reduce((sum, n) => sum + (n / text.length) * Math.log2(n / text.length), 0);
}

/** The files of the repository that match, each with its text. */
export function filesOf(...patterns: string[]): [file: string, source: string][] {
  return globSync(patterns, { exclude: ['node_modules', 'dist', 'data', 'coverage', '.git'] })
    .sort()
    .map((file) => [file, readFileSync(file, 'utf8')]);
}

function linesOf(file: string, source: string): Place[] {
  return source.split('\n').map((text, i) => ({ file, line: i + 1, text }));
}
