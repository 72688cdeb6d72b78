// Small pieces that views are made of: ranks, differences, hosts, addresses, crawled texts.

import type { ComponentChildren } from 'preact';
import { number, signed, t } from '../core/i18n';
import { openable, parts, readableHost, visible } from '../core/text';
import { href, subject } from '../core/route';

/** A rank from 0 to 10 with a small meter. */
export function Rank({ value }: { value: number | undefined }) {
  if (value === undefined || value === null) return <span class="muted">–</span>;
  return (
    <span class="rank">
      <span class="meter" aria-hidden="true"><span style={{ inlineSize: `${Math.min(100, value * 10)}%` }} /></span>
      <b>{number(value, 2)}</b>
    </span>
  );
}

/** A difference: green where more is better, red where it is worse. */
export function Delta({ value, digits = 0, good = 1 }: { value: number | null | undefined; digits?: number; good?: 1 | -1 | 0 }) {
  if (value === null || value === undefined) return null;
  if (!value) return <span class="delta">±0</span>;
  const kind = good === 0 ? '' : value * good > 0 ? ' up' : ' down';
  return <span class={`delta${kind}`}><span aria-hidden="true">{value > 0 ? '▲' : '▼'}</span> {signed(value, digits)}</span>;
}

/** A text from a crawled page. */
export function Crawled({ text, none }: { text: unknown; none?: string }) {
  const shown = visible(text);
  if (!shown.trim()) return <span class="muted">{none ?? t('text.none')}</span>;
  return <bdi dir="auto">{shown}</bdi>;
}

/** A link out of this page, to the crawled address itself. */
export function Out({ address }: { address: string }) {
  const target = openable(address);
  if (!target) return null;
  return (
    <a class="out" href={target} target="_blank" rel="noopener noreferrer nofollow" aria-label={t('open.out', { url: target })} title={t('open.out', { url: target })}>
      <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M4 2H2v8h8V8M6.5 1.5h4v4M10 2 5.5 6.5" /></svg>
    </a>
  );
}

/** A host or domain for reading. */
export function Name({ name }: { name: string }) {
  const shown = readableHost(name);
  return shown === name ? <>{name}</> : <bdi title={name}>{shown}</bdi>;
}

/** An address with its host set off. With `tail` the host gives way first where there is no room, because the paths of
 *  one host tell its pages apart; the host that the view is about is left out. */
export function Address({ address, full = false, tail = false }: { address: string; full?: boolean; tail?: boolean }) {
  const { scheme, host, readable, rest } = parts(address);
  const shown = rest && (full || rest !== '/') ? rest : '';
  const own = tail && shown && bare(host) === bare(parts(subject.value).host);
  return (
    <bdi class={tail ? 'address tail' : 'address'} dir="ltr" title={tail || readable !== host ? address : undefined}>
      {full && scheme && <span class="muted">{scheme}://</span>}
      <span class={own ? 'host own' : 'host'} dir="auto">{readable}</span>
      {full && readable !== host && <span class="ascii"> ({host})</span>}
      {shown && <span class="rest">{shown}</span>}
    </bdi>
  );
}

const bare = (host: string) => host.replace(/^www\./, '');

/** A domain or host, linked to its overview; with its punycode where there is room. */
export function Domain({ name, main = true }: { name: string; main?: boolean }) {
  const shown = readableHost(name);
  return (
    <span class="domain">
      <a href={href({ url: name })} data-main={main || undefined} title={shown === name ? undefined : name}><bdi>{shown}</bdi></a>
      {shown !== name && <span class="ascii"> {name}</span>}
      <Out address={name} />
    </span>
  );
}

export function Status({ code, failure }: { code: number | undefined; failure?: string }) {
  if (code === undefined || code === null) return null;
  const kind = code === 0 ? 'bad' : code < 300 ? 'good' : code < 400 ? 'fair' : 'bad';
  return <span class={`status ${kind}`}>{code === 0 ? failure || t('status.none') : code}</span>;
}

export function Badge({ children, kind = '' }: { children: ComponentChildren; kind?: string }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

/** A bar of a share, 0 to 100. */
export function Bar({ share }: { share: number }) {
  return <span class="bar" aria-hidden="true"><span style={{ inlineSize: share > 0 ? `${Math.max(1, Math.min(100, share))}%` : '0' }} /></span>;
}

export function Icon({ name }: { name: keyof typeof ICONS }) {
  return <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={ICONS[name]} /></svg>;
}

const ICONS = {
  dots: 'M3 8h.01M8 8h.01M13 8h.01',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.7 10.7 14 14',
  close: 'm4 4 8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  right: 'm6 3 5 5-5 5',
  left: 'm10 3-5 5 5 5',
  filter: 'M2 3h12M4.5 8h7M7 13h2',
  columns: 'M2 3h12v10H2zM6 3v10M10 3v10',
  down: 'M8 2v9M4 7l4 4 4-4M3 14h10',
  edit: 'M3 13h2l8-8-2-2-8 8z',
  help: 'M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.5M8 12h.01',
  dice: 'M3 3h10v10H3zM6 6h.01M10 6h.01M8 8h.01M6 10h.01M10 10h.01',
} as const;
