// The help: pages that the program's build renders from Markdown (`src/docs`), with a search over all their words.
// They are English, and trusted: their HTML is a part of the program, like this script.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Key, language, t } from '../core/i18n';
import { go, href, query } from '../core/route';
import { findSections, findTitles, Found, Section } from '../core/search';
import { Fault } from '../parts/guard';
import { copy } from '../parts/menu';
import { Skeleton } from '../parts/states';

interface Heading { id: string; text: string; level: number }
interface HelpPage { name: string; group: string; title: string; about: string; file: string; headings: Heading[] }

declare const HELP_STYLE: string;

/** Settles once the style of the help is there, or cannot be had: its text can be read without. */
export const styled = new Promise<unknown>((done) => {
  document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: HELP_STYLE, onload: done, onerror: done }));
});

const CONTENTS = 'contents';
const GROUPS: Record<string, Key> = { guide: 'help.guide', move: 'help.move', reference: 'help.reference' };

const address = (name: string, id = '') => href({ view: 'help', doc: name === CONTENTS ? null : name }) + (id && `#${id}`);

let index: Promise<HelpPage[]> | undefined;

async function read(name: string): Promise<Response> {
  const response = await fetch(`/ui/${name}`);
  if (!response.ok) throw new Error(`/ui/${name}: ${response.status}`);
  return response;
}

/** The list of pages; asked for once, and again after a failure. */
function readIndex(): Promise<HelpPage[]> {
  index ??= read('help.json').then((response) => response.json()).then((data) => data.pages as HelpPage[]);
  index.catch(() => (index = undefined));
  return index;
}

let sections: Promise<Section[]> | undefined;

/** The text of all pages, cut at their headings; read when it is first searched, because it is larger than all else. */
function readSections(pages: HelpPage[]): Promise<Section[]> {
  sections ??= Promise.all(pages.map(async (page) => cut(page, await (await read(page.file)).text()))).then((all) => all.flat());
  sections.catch(() => (sections = undefined));
  return sections;
}

function cut(page: HelpPage, html: string): Section[] {
  const order = Object.keys(GROUPS).indexOf(page.group);
  const found: Section[] = [{ address: address(page.name), title: page.title, within: '', text: '', order }];
  for (const element of new DOMParser().parseFromString(html, 'text/html').body.children) {
    for (const part of element.querySelectorAll('td, th, li, p')) part.append(' ');
    const text = element.textContent?.replace(/\s+/g, ' ').trim() ?? '';
    if (/^H[2-6]$/.test(element.tagName)) found.push({ address: address(page.name, element.id), title: text, within: page.title, text: '', order });
    else if (element.tagName !== 'H1') found.at(-1)!.text += ` ${text}`;
  }
  return found;
}

export function Docs() {
  const name = query.value.get('doc') || CONTENTS;
  const [pages, setPages] = useState<HelpPage[]>([]);
  const [shown, setShown] = useState<{ page: HelpPage; html: string } | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    let current = true;
    setFault('');
    readIndex().then(async (all) => {
      const page = all.find((one) => one.name === name);
      if (current) setPages(all);
      if (!page) throw new Error(t('help.absent', { name }));
      const html = await (await read(page.file)).text();
      if (current) setShown({ page, html });
    }).catch((error: Error) => current && setFault(error.message));
    return () => void (current = false);
  }, [name]);
  const ready = shown?.page.name === name ? shown : null;
  return (
    <div class="help">
      <Contents pages={pages} name={name} />
      {fault ? <Fault text={fault} /> : ready ? <Article key={name} title={ready.page.title} html={ready.html} /> : <Skeleton lines={14} class="card" />}
    </div>
  );
}

function Contents({ pages, name }: { pages: HelpPage[]; name: string }) {
  const [text, setText] = useState('');
  const [known, setKnown] = useState<Section[] | null>(null);
  const searched = !!text.trim();
  useEffect(() => {
    if (searched && pages.length) readSections(pages).then(setKnown, () => setKnown([]));
  }, [searched, pages]);
  const titles: Found[] = pages.flatMap((page) => [
    { address: address(page.name), title: page.title, within: '', about: page.about },
    ...page.headings.map((one) => ({ address: address(page.name, one.id), title: one.text, within: page.title })),
  ]);
  const found = searched ? findTitles(titles, text) : null;
  found?.push(...findSections(known ?? [], text).filter((one) => found.every((other) => other.address !== one.address)));
  const waiting = searched && !known;
  const groups = Object.keys(GROUPS).map((group) => [group, pages.filter((page) => page.group === group)] as const);
  const open = (event: Event) => {
    event.preventDefault();
    if (found?.[0]) follow(found[0].address);
  };
  return (
    <nav class="contents" aria-label={t('nav.help')}>
      <form role="search" onSubmit={open}>
        <input type="search" aria-label={t('help.search')} placeholder={t('help.search')} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <p class="unseen" role="status">{found && !waiting && t('help.found', { n: found.length })}</p>
      </form>
      {found && <ul class="found" lang="en" onClick={within}>{found.map((one) => (
        <li key={one.address}><a href={one.address}>{one.title}</a>{one.within && <span class="muted"> {one.within}</span>}
          {one.passage && <p class="passage">{one.passage[0]}<mark>{one.passage[1]}</mark>{one.passage[2]}</p>}</li>
      ))}</ul>}
      {waiting ? <Skeleton lines={2} /> : found && !found.length && <p class="muted">{t('help.none')}</p>}
      <details open={!found && matchMedia('(min-width: 861px)').matches}>
        <summary>{t('help.pages')}</summary>
        {groups.map(([group, list]) => list.length > 0 && (
          <div key={group}>
            <h2>{t(GROUPS[group]!)}</h2>
            <ul lang="en">{list.map((page) => <li key={page.name}><a href={address(page.name)} aria-current={page.name === name ? 'page' : undefined}>{page.title}</a></li>)}</ul>
          </div>
        ))}
      </details>
    </nav>
  );
}

/** Shows a place of the help; links with a fragment are followed here, all others by the page. */
function follow(to: string): void {
  go(to);
  reveal();
}

function within(event: MouseEvent): void {
  const link = (event.target as Element).closest('a');
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.target || !link.hash) return;
  event.preventDefault();
  follow(link.pathname + link.search + link.hash);
}

/** Goes to the heading that the address names, if it is there already. */
function reveal(): void {
  const heading = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!heading) return;
  heading.scrollIntoView();
  heading.focus({ preventScroll: true });
}

function Article({ title, html }: { title: string; html: string }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${title} · ${t('nav.help')} · backlinkd`;
    reveal();
  }, [html]);
  useEffect(() => {
    const made = [...place.current!.querySelectorAll('pre:not([data-language=text], [data-language=json])')].map((block) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'plain copy';
      button.textContent = t('action.copy');
      button.onclick = () => void copy(block.textContent?.trimEnd() ?? '');
      block.before(button);
      return button;
    });
    return () => made.forEach((button) => button.remove());
  }, [html, language.value]);
  return <article class="card doc" lang="en" ref={place} onClick={within} dangerouslySetInnerHTML={{ __html: html }} />;
}
