// Messages, numbers and days in the language of the reader. English is built in; other languages are loaded on demand.

import { signal } from '@preact/signals';
import en from '../../lang/en.json';

export type Key = keyof typeof en;
type Forms = Partial<Record<Intl.LDMLPluralRule, string>>;
type Catalogue = Record<string, string | Forms>;

export const LANGUAGES: Record<string, string> = { en: 'English', de: 'Deutsch' };
const LOADERS: Record<string, () => Promise<{ default: unknown }>> = {
  de: () => import('../../lang/de.json'),
};

export const language = signal('en');
/** The reader's own variety of the language, which decides how days and numbers are written. */
function locale(): string {
  return navigator.languages.find((name) => name.slice(0, 2) === language.value) ?? language.value;
}

let catalogue: Catalogue = en as Catalogue;

export async function setLanguage(name: string, keep = true): Promise<void> {
  const loader = LOADERS[name];
  catalogue = loader ? ((await loader()).default as Catalogue) : (en as Catalogue);
  if (keep) store('language', name);
  document.documentElement.lang = loader ? name : 'en';
  language.value = loader ? name : 'en';
}

export async function startLanguage(): Promise<void> {
  const wanted = [recall('language'), ...navigator.languages.map((name) => name.slice(0, 2))];
  const name = wanted.find((one) => one && one in LANGUAGES) ?? 'en';
  if (name !== 'en') await setLanguage(name, false).catch(() => undefined);
}

/** A message. `n` chooses its plural form; names in braces are replaced. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const name = language.value;
  const entry = catalogue[key] ?? (en as Catalogue)[key] ?? key;
  const count = Number(values.n);
  const form = typeof entry === 'string' ? entry : (entry[format('plural', (one) => new Intl.PluralRules(one), name).select(count)] ?? entry.other ?? key);
  return form.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? number(value) : (value ?? '');
  });
}

/** Whether a message exists; keys that are made of names from the server may not. */
export function has(key: string): key is Key {
  return key in en;
}

const formats = new Map<string, unknown>();

/** A format of the browser. Making one takes far longer than using it, and a view has hundreds of numbers. */
function format<T>(name: string, make: (locale: string) => T, where = locale()): T {
  const key = `${where} ${name}`;
  if (!formats.has(key)) formats.set(key, make(where));
  return formats.get(key) as T;
}

/** A day in short, with the parts that `options` name. */
export function shortDay(value: number, options: Intl.DateTimeFormatOptions): string {
  return format(JSON.stringify(options), (one) => new Intl.DateTimeFormat(one, { ...options, timeZone: 'UTC' })).format(toDate(value));
}

export function number(value: number, digits = 0): string {
  return format(`number ${digits}`, (one) => new Intl.NumberFormat(one, { minimumFractionDigits: digits, maximumFractionDigits: digits })).format(value);
}

export function compact(value: number): string {
  if (Math.abs(value) < 100_000) return number(value);
  return format('compact', (one) => new Intl.NumberFormat(one, { notation: 'compact', maximumFractionDigits: 1 }), language.value).format(value);
}

export function signed(value: number, digits = 0): string {
  return format(`signed ${digits}`, (one) => new Intl.NumberFormat(one, { signDisplay: 'exceptZero', maximumFractionDigits: digits })).format(value);
}

export function bytes(value: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: units[power], unitDisplay: power ? 'short' : 'long', maximumFractionDigits: power > 1 ? 1 : 0 }).format(value / 1000 ** power);
}

/** A day that the API writes as yyyyMMdd. */
export function toDate(day: string | number): Date {
  const text = String(day);
  return new Date(Date.UTC(+text.slice(0, 4), +text.slice(4, 6) - 1, +text.slice(6, 8)));
}

export function toDay(date: Date): string {
  return date.toISOString().slice(0, 10).replaceAll('-', '');
}

export function daysAgo(days: number): string {
  return toDay(new Date(Date.now() - days * 86_400_000));
}

export function day(value: string | number | undefined): string {
  if (!value) return '';
  return shortDay(Number(value), { day: 'numeric', month: 'short', year: 'numeric' });
}

export function clock(time: string): string {
  const date = new Date(time);
  return format('clock', (one) => new Intl.DateTimeFormat(one, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone: 'UTC' })).format(date) + ' UTC';
}

/** How long ago something was, in the largest unit that fits. */
export function ago(time: Date): string {
  const seconds = (time.getTime() - Date.now()) / 1000;
  const units: [Intl.RelativeTimeFormatUnit, number][] = [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const [unit, size] = units.find(([, one]) => Math.abs(seconds) >= one) ?? ['second', 1];
  return format('ago', (one) => new Intl.RelativeTimeFormat(one, { numeric: 'auto', style: 'short' })).format(Math.trunc(seconds / size), unit);
}

export function country(code: string, name = ''): string {
  if (!/^[A-Z]{2}$/.test(code)) return name || code;
  try {
    return format('region', (one) => new Intl.DisplayNames(one, { type: 'region' })).of(code) ?? name;
  } catch {
    return name;
  }
}

export function list(items: string[]): string {
  return new Intl.ListFormat(locale(), { type: 'conjunction' }).format(items);
}

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`backlinkd.${name}`);
  } catch {
    return null;
  }
}

export function store(name: string, value: string): void {
  try {
    localStorage.setItem(`backlinkd.${name}`, value);
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}
