// The beginning of the page: chooses the view that the address names.

import { render } from 'preact';
import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { resetCost } from './core/api';
import { has, Key, language, recall, startLanguage, store, t } from './core/i18n';
import { DOMAINS, LISTS } from './core/lists';
import { about, followLinks, subject, view } from './core/route';
import { readableHost } from './core/text';
import { Fault, Guard } from './parts/guard';
import { defined, say } from './parts/menu';
import { Skeleton } from './parts/states';
import { helpOpen, listenToKeys } from './help';
import { readSession } from './session';
import { Shell } from './shell';
import { Listing, ListView } from './views/list';
import { Overview } from './views/overview';
import { recent, Start } from './views/start';

const LATER: Record<string, () => Promise<ComponentType>> = {
  compare: () => import('./views/compare').then((module) => module.Compare),
  intersect: () => import('./views/intersect').then((module) => module.Intersect),
  graph: () => import('./views/graph').then((module) => module.Graph),
  page: () => import('./views/page').then((module) => module.Page),
  crawl: () => import('./views/crawl').then((module) => module.Crawl),
  api: () => import('./views/explorer').then((module) => module.Explorer),
  help: () => import('./views/docs').then((module) => module.styled.then(() => module.Docs)),
};

const loaded: Record<string, ComponentType> = {};

function Later({ name }: { name: string }) {
  const [fault, setFault] = useState('');
  const [, draw] = useState(0);
  useEffect(() => {
    if (!loaded[name]) LATER[name]!().then((view) => ((loaded[name] = view), draw((n) => n + 1)), (error) => setFault(String(error)));
  }, [name]);
  const View = loaded[name];
  return View ? <View /> : fault ? <Fault text={fault} /> : <Skeleton lines={12} />;
}

function Dialogs() {
  const [view, setView] = useState<{ Dialogs: ComponentType } | null>(null);
  const open = defined.value !== null || helpOpen.value;
  useEffect(() => {
    if (open && !view) import('./parts/dialog').then(setView, () => say(t('state.fault')));
  }, [open]);
  return view && <view.Dialogs />;
}

function View() {
  const name = view.value;
  if (name in LATER) return <Later key={`${name} ${about.value}`} name={name} />;
  if (name === 'domains') return <Listing top key={name} list={DOMAINS} base={[]} title={t('nav.domains')} />;
  if (!subject.value) return <Start />;
  if (name in LISTS) return <ListView key={`${name} ${subject.value}`} name={name} />;
  return <Overview key={subject.value} />;
}

function Page() {
  const name = view.value;
  const named = about.value;
  useEffect(() => {
    resetCost();
    const key = `nav.${name}`;
    document.title = [readableHost(named), has(key) ? t(key as Key) : '', 'backlinkd'].filter(Boolean).join(' · ');
    if (named && name !== 'compare') store('recent', JSON.stringify([named, ...recent().filter((one) => one !== named)].slice(0, 12)));
  }, [name, named, language.value]);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) document.getElementById('main')?.focus({ preventScroll: true });
    first.current = false;
  }, [name, named]);
  return <Shell><Guard key={`${name} ${named}`}><View /></Guard></Shell>;
}

const theme = recall('theme');
if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
followLinks();
listenToKeys();
const soon = new Promise((done) => setTimeout(done, 500));
void Promise.all([startLanguage(), Promise.race([readSession(), soon])]).then(() => {
  const root = document.getElementById('page')!;
  root.textContent = '';
  render(<><Page /><Dialogs /></>, root);
});
