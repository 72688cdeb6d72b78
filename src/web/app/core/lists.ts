// The lists of the API as tables: their columns, what can be filtered, and what is counted per value beside them.

import type { Kind } from './where';

export type Look =
  | 'rank' | 'number' | 'percent' | 'text' | 'day' | 'flag' | 'page' | 'target' | 'anchor' | 'domain' | 'host' | 'place' | 'address'
  | 'status' | 'seen' | 'tag' | 'country' | 'tld' | 'share';

export interface Column {
  id: string;
  look: Look;
  kind: Kind;
  /** Fields of the row that the cell shows besides `id`; they are exported with it. */
  with?: string[];
  /** Where a narrow screen puts it: the first line, the second, or among the small figures. */
  line?: 'first' | 'second';
  hidden?: boolean;
  unsorted?: boolean;
  /** What the server must be asked for to have it: looking each row up (`details`), or one row per domain (`group`). */
  needs?: 'details' | 'group';
}

export interface List {
  name: string;
  columns: Column[];
  /** The first order. */
  order: string;
  /** Whether the server's own order is another one. */
  reordered?: boolean;
  facets?: string[];
  /** Fields that have no column and can be filtered. */
  more?: { id: string; kind: Kind }[];
  /** Whether the list is about a range of days. */
  dated?: boolean;
  /** Whether rows can be opened to show the links of their domain. */
  opens?: boolean;
  /** The message that names and counts its rows. */
  unit: 'links' | 'domains' | 'texts' | 'pages' | 'hosts' | 'addresses' | 'countries' | 'tlds' | 'codes' | 'tags';
}

const col = (id: string, look: Look, kind: Kind, rest: Partial<Column> = {}): Column => ({ id, look, kind, ...rest });
const hidden = (id: string, look: Look, kind: Kind): Column => col(id, look, kind, { hidden: true });
const detail = (id: string, look: Look, kind: Kind): Column => col(id, look, kind, { hidden: true, needs: 'details' });

const SR = col('sr', 'rank', 'rank');
const PAGE = col('backlinkpage', 'page', 'text', { with: ['title'], line: 'first' });
const ANCHOR = col('linktext', 'anchor', 'text', { with: ['tag', 'nofollow', 'ugc', 'sponsored'], line: 'second' });
const TARGET = col('linktarget', 'target', 'text');
const FIRST = col('insDate', 'day', 'day');
const SEEN = col('updDate', 'seen', 'day', { with: ['active', 'confirmed', 'doubt'] });
const COUNTRY = col('ccode', 'country', 'text', { with: ['country'] });

const LINK_TAIL: Column[] = [
  hidden('ip', 'address', 'address'), hidden('city', 'text', 'text'), hidden('extL', 'number', 'number'), hidden('intL', 'number', 'number'),
  hidden('sumL', 'number', 'number'), hidden('pos', 'number', 'number'), hidden('blpcount', 'number', 'number'), hidden('tag', 'tag', 'text'),
  hidden('nofollow', 'flag', 'flag'), hidden('ugc', 'flag', 'flag'), hidden('sponsored', 'flag', 'flag'), hidden('active', 'flag', 'flag'),
];
/** What the last visits say of each link. */
const VISITS: Column[] = [detail('confirmed', 'day', 'day'), detail('doubt', 'tag', 'text'), detail('reason', 'tag', 'text')];
const LINK_MORE: List['more'] = [{ id: 'title', kind: 'text' }, { id: 'domain', kind: 'text' }, { id: 'country', kind: 'text' }];
const LINK_FACETS = ['tag', 'nofollow', 'ccode', 'domain', 'linktext'];

const links = (name: string, extra: Column[], rest: Partial<List> = {}): List => ({
  name, unit: 'links', order: '-sr', facets: LINK_FACETS, more: LINK_MORE,
  columns: [SR, PAGE, ANCHOR, TARGET, ...extra.filter((one) => !one.hidden), COUNTRY, FIRST, SEEN, ...LINK_TAIL, ...extra.filter((one) => one.hidden)], ...rest,
});

const domains = (name: string, columns: Column[], rest: Partial<List> = {}): List => ({
  name, unit: 'domains', order: '-links', opens: true, facets: ['ccode'], columns, ...rest,
});

const DOMAIN = col('domain', 'domain', 'text', { line: 'first' });
const LINKS = col('links', 'number', 'number');
const REFDOMS = col('refdoms', 'number', 'number');
const PERCENT = col('percentage', 'percent', 'number');

const ALL: List[] = [
  links('backlinks', [col('domainLinks', 'number', 'number', { needs: 'group' }), ...VISITS]),
  domains('referringdomains', [
    SR, DOMAIN, LINKS, col('followed', 'share', 'number'), detail('refdoms', 'number', 'number'), COUNTRY, col('ip', 'address', 'address', { with: ['ip_count_additional'] }),
    col('firstSeen', 'day', 'day'), col('lastSeen', 'day', 'day'),
  ], { order: '-links', facets: ['ccode'] }),
  { name: 'linktexts', unit: 'texts', order: '-refdoms', facets: ['type'], columns: [
    col('anchortext', 'text', 'text', { line: 'first' }), REFDOMS, col('frequency', 'number', 'number'), PERCENT, col('type', 'tag', 'text') ] },
  { name: 'bestpages', unit: 'pages', order: '-refdoms', facets: ['code'], columns: [
    SR, col('page', 'target', 'text', { line: 'first' }), REFDOMS, LINKS, col('code', 'status', 'number') ] },
  links('newbacklinks', VISITS, { order: '-insDate', dated: true, facets: ['tag', 'nofollow', 'ccode', 'active'] }),
  links('lostbacklinks', [col('lostDate', 'day', 'day'), col('reason', 'tag', 'text')], { order: '-lostDate', dated: true, facets: ['reason', 'tag', 'nofollow', 'ccode'] }),
  domains('newdomains', [SR, DOMAIN, LINKS, COUNTRY, col('date', 'day', 'day')], { order: '-date', dated: true }),
  domains('lostdomains', [SR, DOMAIN, LINKS, COUNTRY, col('date', 'day', 'day')], { order: '-date', dated: true, opens: false }),
  links('brokenbacklinks', [col('code', 'status', 'number', { with: ['failure'] })], { facets: ['code', 'failure', 'tag', 'nofollow'] }),
  domains('competitors', [SR, DOMAIN, col('common', 'number', 'number'), REFDOMS, col('jaccard', 'percent', 'number')], { order: '-common', opens: false, facets: [] }),
  { name: 'iplist', unit: 'addresses', order: '-links', facets: ['ccode'], columns: [
    col('ip', 'address', 'address', { line: 'first' }), COUNTRY, col('city', 'text', 'text'), LINKS, PERCENT ] },
  { name: 'geolocationshort', unit: 'countries', order: '-links', columns: [
    col('ccode', 'country', 'text', { with: ['country'], line: 'first' }), LINKS, PERCENT ] },
  { name: 'tldlist', unit: 'tlds', order: '-links', columns: [
    col('toplevel', 'tld', 'text', { line: 'first' }), col('diffdomains', 'number', 'number'), LINKS, PERCENT ] },
  { name: 'tagtypes', unit: 'tags', order: '-frequency', reordered: true, columns: [
    col('tag', 'tag', 'text', { line: 'first' }), col('frequency', 'number', 'number'), REFDOMS ] },
  { name: 'outgoinglinks', unit: 'links', order: '-cdate', facets: ['tag', 'nofollow'], columns: [
    SR, PAGE, ANCHOR, TARGET, col('pos', 'number', 'number', { hidden: true }), col('cdate', 'day', 'day'), hidden('nofollow', 'flag', 'flag'), hidden('tag', 'tag', 'text') ],
    more: [{ id: 'title', kind: 'text' }] },
  { name: 'outgoinghosts', unit: 'hosts', order: '-frequency', columns: [
    col('host', 'host', 'text', { line: 'first' }), col('frequency', 'number', 'number') ] },
  { name: 'httpstatus', unit: 'codes', order: '-pages', columns: [
    col('code', 'status', 'number', { line: 'first' }), col('pages', 'number', 'number'), PERCENT ] },
];

export const LISTS: Record<string, List> = Object.fromEntries(ALL.map((list) => [list.name, list]));

/** The list of domains that link to all targets, with a column for each of them. */
export function intersection(targets: number): List {
  const each = Array.from({ length: targets }, (_, index) => col(`links${index + 1}`, 'number', 'number'));
  return { name: 'linkintersect', unit: 'domains', order: '-links', columns: [SR, DOMAIN, LINKS, ...each] };
}

/** The list of the domains that are in the index. */
export const DOMAINS: List = {
  name: 'domains', unit: 'domains', order: '-sr',
  columns: [SR, DOMAIN, REFDOMS, col('backlinks', 'number', 'number'), col('pages', 'number', 'number'), col('hosts', 'number', 'number')],
};

/** The columns that the list can have: the number of a domain's links is there with one row per domain alone. */
export function columnsOf(list: List, grouped: boolean): Column[] {
  return list.columns.filter((column) => grouped || column.needs !== 'group');
}

/** Whether a view shows, filters or sorts by a column for which the server looks each row up. */
export function needsDetails(list: List, fields: string, where: string, order: string): boolean {
  const used = new Set(`${fields},${order.replaceAll('-', '')},${where.replace(/'(?:[^']|'')*'/g, '')}`.match(/\w+/g));
  return list.columns.some((column) => column.needs === 'details' && used.has(column.id));
}

/** Names that the API has for one column: the second ones are left out of forms beside the first. */
const SAME: Record<string, string> = { cdate: 'insDate', udate: 'updDate', update: 'updDate' };

export function isSecondName(field: string, fields: string[]): boolean {
  return field in SAME && fields.includes(SAME[field]!);
}

/** The kind of a field that can be filtered, or undefined. */
export function kindOf(list: List, field: string): Kind | undefined {
  return list.columns.find((column) => column.id === field)?.kind ?? list.more?.find((one) => one.id === field)?.kind;
}

export function fieldsOf(list: List, grouped: boolean): { id: string; kind: Kind }[] {
  const seen = new Set<string>();
  return [...columnsOf(list, grouped), ...(list.more ?? [])].filter((field) => !seen.has(field.id) && seen.add(field.id));
}

/** Whether a column is counted: its numbers are aligned at the end. */
export function isFigure(column: Column): boolean {
  return ['rank', 'number', 'percent', 'share'].includes(column.look);
}
