// The frame around every view: search, navigation, troubles, and the foot that says as of when all of it holds.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asOf, cost, retryAll, trouble, useAnswer } from './core/api';
import { bytes, clock, Key, language, LANGUAGES, number, setLanguage, store, t } from './core/i18n';
import { about, go, here, href, query, subject, view, viewOf } from './core/route';
import { parts } from './core/text';
import { Icon, Out } from './parts/bits';
import { defined, Drop, notice } from './parts/menu';
import { Search } from './parts/search';
import { session, SignIn, signOut } from './session';
import { helpOpen } from './help';

const GROUPS: [Key, string[]][] = [
  ['group.in', ['overview', 'backlinks', 'referringdomains', 'linktexts', 'bestpages', 'brokenbacklinks']],
  ['group.change', ['newbacklinks', 'lostbacklinks', 'newdomains', 'lostdomains']],
  ['group.from', ['iplist', 'geolocationshort', 'tldlist', 'tagtypes']],
  ['group.out', ['outgoinglinks', 'outgoinghosts', 'httpstatus']],
  ['group.tools', ['graph', 'competitors', 'compare', 'intersect', 'page']],
];

export function Shell({ children }: { children: ComponentChildren }) {
  const bare = view.value === 'start';
  const framed = !!about.value && !bare;
  return (
    <>
      <a class="skip" href="#main">{t('shell.skip')}</a>
      <header class="top">
        <a class="logo" href="/"><Mark />backlinkd</a>
        {!bare && <Search />}
        <span class="spring" />
        <Crawling />
        <a class="tool wide-only" href={href({ view: 'api' })} aria-current={view.value === 'api' ? 'page' : undefined}>API</a>
        <a class="tool wide-only" href={href({ view: 'help' })} aria-current={view.value === 'help' ? 'page' : undefined}>{t('nav.help')}</a>
        <Theme />
        <button type="button" class="plain tool" aria-label={t('help.title')} title={t('help.title')} onClick={() => (helpOpen.value = true)}><Icon name="help" /></button>
        <Settings />
      </header>
      <Demo />
      <Trouble />
      <div class={framed ? 'body framed' : 'body'}>
        {framed && <Nav />}
        <main id="main" tabIndex={-1}>
          {framed && view.value !== 'compare' && view.value !== 'intersect' && <Subject />}
          {children}
        </main>
      </div>
      <Foot />
      <p class="toast" role="status" aria-live="polite">{notice.value}</p>
    </>
  );
}

function Mark() {
  return <svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 12h9M9 7l5 5-5 5" /><circle cx="18.5" cy="12" r="3" /></svg>;
}

function Nav() {
  const address = (name: string) => {
    if (name === 'compare') return href({ view: 'compare', url: [subject.value] });
    if (name === 'intersect') return href({ view: 'intersect', 'targets[]': [subject.value] });
    return name === 'overview' ? viewOf('overview', { view: null }) : viewOf(name);
  };
  const box = useRef<HTMLElement>(null);
  const name = view.value;
  useEffect(() => {
    // Where the views are a strip, the present one is moved into sight.
    const current = box.current?.querySelector<HTMLElement>('[aria-current]');
    if (current && box.current) box.current.scrollLeft = current.offsetLeft - box.current.clientWidth / 3;
  }, [name]);
  return (
    <nav class="side" ref={box} aria-label={t('shell.views')}>
      {GROUPS.map(([group, names]) => (
        <div key={group}>
          <h2>{t(group)}</h2>
          <ul>{names.map((name) => <li key={name}><a href={address(name)} aria-current={view.value === name ? 'page' : undefined}>{t(`nav.${name}` as Key)}</a></li>)}</ul>
        </div>
      ))}
    </nav>
  );
}

function Subject() {
  const name = subject.value;
  const q = query.value;
  const { scheme, host, readable, rest } = parts(name);
  return (
    <div class="subject">
      <h1><bdi dir="ltr">{scheme && `${scheme}://`}<bdi>{readable}</bdi>{rest}</bdi>{readable !== host && <span class="ascii"> {host}</span>} <Out address={name} /></h1>
      <span class="scope">
        <label><span class="unseen">{t('scope.label')}</span>
          <select value={q.get('scope') ?? ''} onChange={(event) => go(here({ scope: event.currentTarget.value }))}>
            <option value="">{t('scope.auto')}</option>
            {(['domain', 'host', 'prefix', 'url'] as const).map((scope) => <option key={scope} value={scope}>{t(`scope.${scope}`)}</option>)}
          </select>
        </label>
        <label><span class="unseen">{t('internal.label')}</span>
          <select value={q.get('internal') ?? ''} onChange={(event) => go(here({ internal: event.currentTarget.value }))}>
            <option value="">{t('internal.include')}</option>
            <option value="exclude">{t('internal.exclude')}</option>
          </select>
        </label>
        <a class="button" href={href({ view: 'compare', url: [name] })}><Icon name="plus" />{t('nav.compare')}</a>
      </span>
    </div>
  );
}

/** Whether a crawl runs, and how fast. */
function Crawling() {
  const { data } = useAnswer('/crawl', 10_000);
  if (!data?.state) return null;
  const text = data.state === 'running' ? t('crawl.rate', { n: Math.round(data.pagesPerSecond ?? 0) }) : t(`crawl.${data.state}` as Key);
  return <a class="tool crawling" href={href({ view: 'crawl' })} aria-current={view.value === 'crawl' ? 'page' : undefined}><span class={`dot ${data.state}`} aria-hidden="true" /><span class="name">{text}</span><span class="unseen">{t('nav.crawl')}</span></a>;
}

function Theme() {
  const now = () => document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  const [theme, setTheme] = useState(now);
  return (
    <button type="button" class="plain tool" aria-label={t(theme === 'dark' ? 'theme.light' : 'theme.dark')} title={t(theme === 'dark' ? 'theme.light' : 'theme.dark')} onClick={() => {
      const next = theme === 'dark' ? 'light' : 'dark';
      document.documentElement.dataset.theme = next;
      store('theme', next);
      setTheme(next);
    }}><Icon name={theme === 'dark' ? 'sun' : 'moon'} /></button>
  );
}

function Settings() {
  const name = session.value?.name;
  return (
    <Drop end class="tool" label={<><Icon name="dots" /><span class="unseen">{t('shell.more')}</span></>}>
      <ul class="menu">
        {Object.entries(LANGUAGES).map(([code, text]) => <li key={code}><button type="button" lang={code} aria-pressed={language.value === code} onClick={() => setLanguage(code)}>{text}</button></li>)}
        <li><a href={href({ view: 'domains' })}>{t('nav.domains')}</a></li>
        <li><a href={href({ view: 'crawl' })}>{t('nav.crawl')}</a></li>
        <li><a href={href({ view: 'api' })}>{t('nav.api')}</a></li>
        <li><a href={href({ view: 'help' })}>{t('nav.help')}</a></li>
        <li><button type="button" onClick={() => window.print()}>{t('shell.print')}</button></li>
        {name && <li><button type="button" onClick={signOut}>{t('session.out', { name })}</button></li>}
      </ul>
    </Drop>
  );
}

/** Says of the demo that nothing in it is real. */
function Demo() {
  const { data } = useAnswer('/stats');
  return data?.demo ? <p class="made-up" role="note">{t('shell.demo')}</p> : null;
}

/** What keeps everything from being answered, with the time until it is tried again. */
function Trouble() {
  const now = trouble.value;
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (!now || now.until === Infinity) return;
    const tick = () => {
      const seconds = Math.ceil((now.until - Date.now()) / 1000);
      setLeft(Math.max(0, seconds));
      if (seconds <= 0) retryAll();
    };
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [now]);
  if (!now) return null;
  if (now.status === 401) return <SignIn />;
  return (
    <div class="trouble" role="alert">
      <strong>{t(now.status === 429 ? 'trouble.many' : now.status === 503 ? 'trouble.busy' : 'trouble.gone')}</strong>
      <span aria-hidden="true">{t('trouble.wait', { n: left })}</span>
      <button type="button" onClick={retryAll}>{t('action.retry')}</button>
    </div>
  );
}

function Foot() {
  const { requests, bytes: size, ms } = cost.value;
  const state = asOf.value;
  return (
    <footer class="foot">
      <span>{state ? <>{t('foot.asOf', { time: clock(state.time) })}{state.change !== undefined && `, ${t('foot.change', { n: state.change })}`}</> : t('foot.none')}</span>
      <button type="button" class="plain" onClick={() => (defined.value = view.value in VIEWS_WITH_OWN ? VIEWS_WITH_OWN[view.value]! : view.value)}>{t('menu.about')}</button>
      <span class="cost">{t('foot.cost', { n: requests, size: bytes(size), ms: number(Math.round(ms)) })}</span>
    </footer>
  );
}

const VIEWS_WITH_OWN: Record<string, string> = {
  start: 'stats', overview: 'summary', compare: 'summary', intersect: 'linkintersect', graph: 'neighbourhood', page: 'exportpages', api: 'openapi.json',
};
