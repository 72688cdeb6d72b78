// Filters in the API's `where` language. A text that is a plain list of conditions, all joined by AND or all by OR, is shown
// as chips; any other text stays a text.

export interface Condition {
  field: string;
  op: string;
  value: string;
  /** What this condition occupies of the text. */
  from: number;
  to: number;
}

export type Kind = 'number' | 'rank' | 'text' | 'flag' | 'day' | 'address';

export const OPERATORS: Record<Kind, string[]> = {
  number: ['ge', 'le', 'eq', 'ne', 'gt', 'lt', 'in'],
  rank: ['ge', 'le', 'gt', 'lt', 'eq'],
  text: ['contains', 'startswith', 'endswith', 'eq', 'ne', 'like', 'notlike', 'matches', 'in'],
  flag: ['eq'],
  day: ['ge', 'le', 'eq', 'gt', 'lt'],
  address: ['eq', 'ne', 'ge', 'le', 'in'],
};

const CONDITION =
  /\s*([A-Za-z_]\w*)\s+(lt|le|gt|ge|eq|ne|like|notlike|contains|startswith|endswith|matches|in)\b\s*('(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false|\((?:\s*(?:'(?:[^']|'')*'|-?[\d.]+)\s*,?)+\)|[^\s']+)\s*/iy;

export type Joint = 'AND' | 'OR';

/** The conditions of a text, or null if it is more than a list of conditions joined by one word. */
export function conditions(text: string, joint: Joint = 'AND'): Condition[] | null {
  const found: Condition[] = [];
  if (!text.trim()) return found;
  let at = 0;
  for (;;) {
    CONDITION.lastIndex = at;
    const match = CONDITION.exec(text);
    if (!match) return null;
    const lead = match[0].length - match[0].trimStart().length;
    found.push({ field: match[1]!, op: match[2]!.toLowerCase(), value: match[3]!, from: at + lead, to: at + match[0].trimEnd().length });
    at += match[0].length;
    if (at >= text.length) return found;
    const word = new RegExp(`${joint}\\b`, 'iy');
    word.lastIndex = at;
    if (!word.test(text)) return null;
    at = word.lastIndex;
  }
}

/** The conditions of a text, and the word that joins them; null if it is more than such a list. */
export function joined(text: string): { parts: Condition[]; by: Joint } | null {
  for (const by of ['AND', 'OR'] as const) {
    const parts = conditions(text, by);
    if (parts) return { parts, by };
  }
  return null;
}

export function write(parts: Pick<Condition, 'field' | 'op' | 'value'>[], by: Joint = 'AND'): string {
  return parts.map((part) => `${part.field} ${part.op} ${part.value}`).join(` ${by} `);
}

/** A text with one more condition; a condition on the same field and operator is replaced. */
export function withCondition(text: string, field: string, op: string, value: string): string {
  const parts = conditions(text);
  if (!parts) return `(${text}) AND ${field} ${op} ${value}`;
  return write([...parts.filter((part) => part.field !== field || part.op !== op), { field, op, value }]);
}

/** The literal of a value: texts in quotes, days and numbers as they are. */
export function literal(value: unknown, kind: Kind, op = 'eq'): string {
  const text = String(value ?? '').trim();
  if (op === 'in') {
    const items = text.replace(/^\(|\)$/g, '').split(',').map((item) => item.trim().replace(/^'|'$/g, ''));
    return `(${items.map((item) => literal(item, kind)).join(',')})`;
  }
  if (kind === 'text' || kind === 'address') return `'${String(value ?? '').replaceAll("'", "''")}'`;
  if (kind === 'day') return text.replaceAll('-', '');
  return text;
}

/** What a literal says, for showing and for editing. */
export function plainValue(value: string): string {
  if (value.startsWith("'")) return value.slice(1, -1).replaceAll("''", "'");
  if (value.startsWith('(')) return value.slice(1, -1).replaceAll(/'((?:[^']|'')*)'/g, '$1');
  return value;
}

/** The range of a text that a refusal means; older servers only say its first position. */
export function blamed(message: string, at?: [number, number]): [number, number] | null {
  if (at) return at;
  const found = /position (\d+)/.exec(message);
  if (!found) return null;
  const begin = Number(found[1]);
  return [begin, begin + 1];
}
