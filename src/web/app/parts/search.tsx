// The search box: a domain, host or URL, with suggestions from the index and the scope beside it.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { get, Row } from '../core/api';
import { number, t } from '../core/i18n';
import { go, href, query, subject, view } from '../core/route';
import { readableHost, typed, typedScope } from '../core/text';
import { Icon } from './bits';

const WITH_SUBJECT = ['start', 'crawl', 'api', 'compare', 'intersect', 'domains', 'help'];

export function Search({ large = false }: { large?: boolean }) {
  const [text, setText] = useState(subject.value);
  const [found, setFound] = useState<Row[]>([]);
  const [at, setAt] = useState(-1);
  const [open, setOpen] = useState(false);
  const wait = useRef(0);
  const asked = useRef('');
  const id = useId();
  const current = subject.value;
  useEffect(() => setText(current), [current]);

  const visit = (name: string) => {
    const wanted = typed(name);
    if (!wanted) return;
    setOpen(false);
    setFound([]);
    const scope = typedScope(name) ?? (wanted === current ? query.value.get('scope') : null);
    const keep = WITH_SUBJECT.includes(view.value) ? null : view.value;
    go(href({ url: wanted, view: keep === 'overview' ? null : keep, scope, internal: query.value.get('internal') }));
  };
  const type = (value: string) => {
    setText(value);
    setAt(-1);
    clearTimeout(wait.current);
    asked.current = value;
    if (!value.trim()) return setFound([]);
    wait.current = window.setTimeout(() => {
      get(`/suggest?q=${encodeURIComponent(value.trim())}&limit=8`).then(
        (reply) => {
          if (asked.current !== value) return;
          setFound(reply.suggestions ?? []);
          setOpen(true);
        },
        () => setFound([]),
      );
    }, 90);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (!found.length) return;
      event.preventDefault();
      setOpen(true);
      setAt((at + (event.key === 'ArrowDown' ? 1 : found.length) + (at < 0 && event.key === 'ArrowUp' ? 1 : 0)) % found.length);
    } else if (event.key === 'Escape') {
      setOpen(false);
      setAt(-1);
    }
  };
  const shown = open && found.length > 0;
  return (
    <form class={large ? 'search large' : 'search'} role="search" onSubmit={(event) => {
      event.preventDefault();
      visit(at >= 0 ? found[at]!.name : text);
    }}>
      <Icon name="search" />
      <input
        id="search" type="text" name="url" value={text} autocomplete="off" autocapitalize="none" spellcheck={false} inputMode="url" enterKeyHint="search"
        role="combobox" aria-expanded={shown} aria-controls={`${id}list`} aria-autocomplete="list" aria-activedescendant={at >= 0 ? `${id}o${at}` : undefined}
        aria-label={t('search.label')} placeholder={t('search.placeholder')}
        onInput={(event) => type(event.currentTarget.value)} onKeyDown={key} onBlur={() => setTimeout(() => setOpen(false), 150)}
      />
      {!large && <kbd aria-hidden="true">/</kbd>}
      {large && <button type="submit" class="primary">{t('search.go')}</button>}
      <ul id={`${id}list`} role="listbox" aria-label={t('search.suggestions')} hidden={!shown}>
        {found.map((one, index) => (
          <li key={one.name + one.kind} id={`${id}o${index}`} role="option" aria-selected={index === at} onMouseDown={(event) => {
            event.preventDefault();
            visit(one.name);
          }}>
            <span class="name"><bdi>{readableHost(one.name)}</bdi>{readableHost(one.name) !== one.name && <span class="ascii"> {one.name}</span>}</span>
            <span class="muted">{t(one.kind === 'host' ? 'scope.host' : 'scope.domain')}</span>
            <span class="figure">{t('count.domains', { n: one.refdoms ?? 0 })}</span>
            <b class="figure">{number(one.sr ?? 0, 2)}</b>
          </li>
        ))}
      </ul>
    </form>
  );
}
