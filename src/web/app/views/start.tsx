// The start: what is in the index, its strongest domains, what this browser looked at last; and, while nothing is
// indexed, how to fill it.

import { useEffect, useState } from 'preact/hooks';
import { Failure, get, post, Reply, useAnswer } from '../core/api';
import { ago, bytes, clock, compact, number, recall, t } from '../core/i18n';
import { go, href } from '../core/route';
import { Domain, Icon, Name, Rank } from '../parts/bits';
import { copy } from '../parts/menu';
import { Search } from '../parts/search';
import { Problem, Skeleton } from '../parts/states';

/** How often the size of the index is asked for: while there is nothing, and after that. */
const SOON_MS = 3000;
const LATER_MS = 15_000;

export function Start() {
  const [empty, setEmpty] = useState(false);
  const stats = useAnswer('/stats', empty ? SOON_MS : LATER_MS);
  const without = !!stats.data && !stats.data.links && !stats.data.fetched && !stats.data.pages;
  useEffect(() => setEmpty(without), [without]);
  return (
    <div class="start">
      <section class="hero">
        <h1>{t('start.heading')}</h1>
        <p class="lead">{t('start.lead')}</p>
        <Search large />
        <Recent />
      </section>
      {without ? <Empty /> : (
        <>
          {stats.failure?.status === 404 ? null : stats.data ? <Figures stats={stats.data} /> : <Skeleton lines={2} class="figures" />}
          <Strongest />
        </>
      )}
    </div>
  );
}

function Figures({ stats }: { stats: Reply }) {
  const items: [string, number | undefined][] = [
    [t('stats.domains'), stats.domains], [t('stats.pages'), stats.pages], [t('stats.links'), stats.links], [t('stats.backlinks'), stats.backlinks],
    [t('stats.hosts'), stats.hosts], [t('stats.queued'), stats.queued],
  ];
  return (
    <section class="card figures" aria-label={t('stats.title')}>
      <dl>
        {items.map(([name, value]) => value !== undefined && (
          <div key={name}><dt>{name}</dt><dd title={number(value)}>{compact(value)}</dd></div>
        ))}
      </dl>
      <p class="muted">
        {stats.ranked ? t('stats.ranked', { when: ago(new Date(stats.ranked)), at: clock(stats.ranked) }) : t('stats.unranked')}
        {stats.bytes ? ` · ${t('stats.bytes', { size: bytes(stats.bytes) })}` : ''}
        {stats.places === false ? ` · ${t('stats.places')}` : ''}
      </p>
    </section>
  );
}

function Strongest() {
  const { data, failure } = useAnswer('/domains?order[]=-sr&limit=10', LATER_MS);
  if (failure?.status === 404) return null;
  const random = () => get('/domains?random=true&limit=1', true).then((reply) => {
    const name = reply.response?.[0]?.domain;
    if (name) go(href({ url: name }));
  }, () => undefined);
  return (
    <section class="card block strongest">
      <header>
        <h2><a href={href({ view: 'domains' })}>{t('start.strongest')} <Icon name="right" /></a></h2>
        <button type="button" onClick={random}><Icon name="dice" />{t('start.random')}</button>
      </header>
      {!data ? failure ? <Problem failure={failure} /> : <Skeleton lines={8} /> : (
        <table class="rows plain">
          <thead><tr><th class="figure">#</th><th>{t('field.domain')}</th><th class="figure">{t('field.sr')}</th><th class="figure">{t('field.refdoms')}</th><th class="figure hide-narrow">{t('field.backlinks')}</th><th class="figure hide-narrow">{t('field.pages')}</th></tr></thead>
          <tbody>
            {(data.response ?? []).map((row, index) => (
              <tr key={row.domain} data-row tabIndex={-1}>
                <td class="figure muted">{index + 1}</td><td><Domain name={row.domain} /></td><td class="figure"><Rank value={row.sr} /></td>
                <td class="figure">{number(row.refdoms ?? 0)}</td><td class="figure hide-narrow">{number(row.backlinks ?? 0)}</td><td class="figure hide-narrow">{number(row.pages ?? 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {data && (data.count ?? 0) > 10 && <p class="foot"><a href={href({ view: 'domains' })}>{t('start.all', { n: data.count ?? 0 })}</a></p>}
    </section>
  );
}

/** The subjects that this browser looked at, latest first. */
export function recent(): string[] {
  try {
    const names = JSON.parse(recall('recent') ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

function Recent() {
  const names = recent();
  if (!names.length) return null;
  return <p class="recent"><span class="muted">{t('start.recent')}</span> {names.slice(0, 6).map((name) => <a key={name} class="chip" href={href({ url: name })}><Name name={name} /></a>)}</p>;
}

function Empty() {
  const [text, setText] = useState('');
  const [state, setState] = useState<'idle' | 'sent' | 'busy'>('idle');
  const [failure, setFailure] = useState<Failure | null>(null);
  const command = 'backlinkd crawl --seeds seeds.txt';
  // The figures of an index may be a minute old; what the crawl did is known at once.
  const visits = Number(useAnswer('/crawl', SOON_MS).data?.visits ?? 0);
  const begin = async (event: Event) => {
    event.preventDefault();
    const urls = text.split(/[\s,]+/).filter(Boolean);
    if (!urls.length) return;
    setState('busy');
    try {
      await post('/crawl/seeds', { urls });
      setState('sent');
      setFailure(null);
    } catch (error) {
      setState('idle');
      setFailure(error as Failure);
    }
  };
  return (
    <section class="card seeding">
      <h2>{t(visits > 0 ? 'first.begun' : 'first.title')}</h2>
      <p>{t('first.lead')}</p>
      {visits > 0 && <p class="note good" role="status">{t('first.visits', { n: visits })} <a href={href({ view: 'crawl' })}>{t('first.watch')}</a></p>}
      {state === 'sent' ? visits === 0 && (
        <p class="note good" role="status">{t('first.sent')} <a href={href({ view: 'crawl' })}>{t('first.watch')}</a></p>
      ) : (
        <form onSubmit={begin}>
          <label for="seeds">{t('first.label')}</label>
          <textarea id="seeds" rows={3} value={text} placeholder={'example.com\nhttps://www.example.org/docs/'} spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} />
          <button class="primary" disabled={state === 'busy'}>{t('first.go')}</button>
        </form>
      )}
      {failure && failure.status !== 401 && <Problem failure={failure} />}
      <p class="muted">{t('first.terminal')} <code>{command}</code> <button type="button" class="plain" onClick={() => copy(command)}>{t('action.copy')}</button></p>
    </section>
  );
}
