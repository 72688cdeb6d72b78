// The corner menu of a block: the request behind it, as a command, a script, a file and a definition.

import type { ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../core/i18n';
import { Param, path } from '../core/api';
import { session } from '../session';
import { Icon } from './bits';

/** A request that a view makes. */
export interface Asked {
  endpoint: string;
  params: Param[];
  /** The columns that are shown, for files. */
  fields?: string[];
  /** Whether the endpoint has rows that can be a file. */
  rows?: boolean;
}

/** The endpoint whose definition is open. */
export const defined = signal<string | null>(null);
/** The last thing that was copied, for the reader to know. */
export const notice = signal('');

export function say(text: string): void {
  notice.value = text;
  setTimeout(() => notice.value === text && (notice.value = ''), 2400);
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say(t('copied'));
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Whether requests need a name and a password: a server without users takes them from everyone. */
const asksWho = () => session.value?.name !== null;

export function curl(asked: Asked): string {
  return `curl -g ${asksWho() ? '-u USER ' : ''}${quoted(location.origin + path(asked.endpoint, asked.params))}`;
}

export function python(asked: Asked): string {
  const params = asked.params.map(([name, value]) => `    (${JSON.stringify(name)}, ${JSON.stringify(value)}),`).join('\n');
  const who = asksWho();
  const login = `user = input("user: ")
login = base64.b64encode(f"{user}:{getpass.getpass()}".encode()).decode()
`;
  const header = `
    headers={"Authorization": "Basic " + login},`;
  return `import ${who ? 'base64, getpass, ' : ''}json, urllib.parse, urllib.request

server = ${JSON.stringify(location.origin)}
params = [
${params}
]
${who ? login : ''}request = urllib.request.Request(
    server + ${JSON.stringify('/' + asked.endpoint)} + "?" + urllib.parse.urlencode(params),${who ? header : ''}
)
with urllib.request.urlopen(request) as answer:
    reply = json.load(answer)
print(json.dumps(reply, indent=2, ensure_ascii=False))
`;
}

/** The kinds of file that every list can be, with the message that names each. */
export const FILES: [format: string, name: () => string][] = [
  ['csv', () => 'CSV'], ['excel', () => t('file.excel')], ['jsonl', () => 'JSON lines'], ['parquet', () => 'Parquet'], ['arrow', () => 'Arrow'],
];

const FEEDS = ['newbacklinks', 'lostbacklinks'];
const FEED_ENTRIES = 100;

/** The address of a list as a feed, the latest rows first; null if the list has no feed. */
export function feed(asked: Asked): string | null {
  if (!FEEDS.includes(asked.endpoint)) return null;
  // The end of the days is left open, so that the feed goes on.
  const params = asked.params.filter(([name]) => !['to', 'order[]', 'limit', 'offset'].includes(name));
  return path(asked.endpoint, [...params, ['limit', String(FEED_ENTRIES)], ['format', 'atom']]);
}

/** The address of a file of all rows that match, with the columns that are shown. */
export function file(asked: Asked, format: string): string {
  const params = asked.params.filter(([name]) => name !== 'limit' && name !== 'offset');
  const fields: Param[] = asked.fields?.length ? [['fields', asked.fields.join(',')]] : [];
  return path(asked.endpoint, [...params, ...fields, ['format', format]]);
}

/** A button that opens a small panel; a click elsewhere or Escape closes it. */
export function Drop({ label, children, class: name = '', id, end }: { label: ComponentChildren; children: ComponentChildren; class?: string; id?: string; end?: boolean }) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const details = box.current!;
    const close = (event: Event) => {
      if (!details.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== 'Escape') return;
        details.open = false;
        details.querySelector('summary')?.focus();
      } else if (!details.contains(event.target as Node)) details.open = false;
    };
    document.addEventListener('click', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('click', close);
      document.removeEventListener('keydown', close);
    };
  }, []);
  return (
    <details ref={box} class={`drop ${name}`} id={id}>
      <summary>{label}</summary>
      <div class={`panel${end ? ' end' : ''}`}>{children}</div>
    </details>
  );
}

/** The corner menu itself. */
export function Corner({ asked, title }: { asked: Asked; title: string }) {
  return (
    <Drop end class="corner" label={<><Icon name="dots" /><span class="unseen">{t('menu.of', { title })}</span></>}>
      <ul class="menu">
        <li><button type="button" onClick={() => copy(curl(asked))}>{t('menu.curl')}</button></li>
        <li><button type="button" onClick={() => copy(python(asked))}>{t('menu.python')}</button></li>
        <li><a href={path(asked.endpoint, asked.params)} target="_blank" rel="noopener">{t('menu.json')}</a></li>
        {asked.rows !== false && FILES.map(([format, name]) => <li key={format}><a href={file(asked, format)} download>{name()}</a></li>)}
        {feed(asked) && <li><a href={feed(asked)!} type="application/atom+xml" target="_blank" rel="noopener">{t('menu.feed')}</a></li>}
        <li><button type="button" onClick={() => (defined.value = asked.endpoint)}>{t('menu.about')}</button></li>
      </ul>
    </Drop>
  );
}
