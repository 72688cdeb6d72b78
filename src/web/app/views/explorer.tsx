// The API as forms: every endpoint of the OpenAPI document with its parameters, and the answer beside them.

import { useEffect, useState } from 'preact/hooks';
import { encode, go, here, href, query } from '../core/route';
import { Param, useAnswer } from '../core/api';
import { bytes, number, t } from '../core/i18n';
import { copy, curl, python } from '../parts/menu';
import { Problem, Skeleton } from '../parts/states';

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  example?: unknown;
  schema?: { type?: string; enum?: string[]; default?: unknown; items?: { enum?: string[] } };
}

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: unknown;
}

const SHOWN_CHARS = 100_000;

export function Explorer() {
  const { data, failure, loading } = useAnswer('/openapi.json');
  const [find, setFind] = useState('');
  if (failure && !loading) return <Problem failure={failure} />;
  if (!data) return <Skeleton lines={16} />;
  const calls = Object.entries(data.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.entries(methods).filter(([method]) => ['get', 'post', 'put', 'delete'].includes(method)).map(([method, operation]) => ({ path, method, operation, key: method === 'get' ? path : `${method} ${path}` })));
  const key = query.value.get('call') ?? '/backlinks';
  const call = calls.find((one) => one.key === key) ?? calls[0]!;
  const wanted = find.toLowerCase();
  const matching = calls.filter(({ key: name, operation }) => `${name} ${operation.summary ?? ''} ${operation.tags?.join(' ') ?? ''}`.toLowerCase().includes(wanted));
  const tags = [...new Set(matching.map(({ operation }) => operation.tags?.[0] ?? ''))];
  return (
    <section class="explorer" aria-label="API">
      <header class="listhead"><h1>API</h1><span class="muted">{t('api.lead')}</span><span class="tools"><a class="button" href="/openapi.json" target="_blank" rel="noopener">{t('api.document')}</a></span></header>
      <div class="split">
        <nav class="card calls" aria-label={t('api.find')}>
          <input type="search" aria-label={t('api.find')} placeholder={t('api.find')} value={find} onInput={(event) => setFind(event.currentTarget.value)} />
          {tags.map((tag) => (
            <div key={tag}>
              {tag && <h2>{tag}</h2>}
              <ul>{matching.filter(({ operation }) => (operation.tags?.[0] ?? '') === tag).map((one) => (
                <li key={one.key}><a href={href({ view: 'api', call: one.key })} aria-current={one.key === call.key ? 'page' : undefined}>{one.method !== 'get' && <b class="method">{one.method}</b>}<span class="mono">{one.path.slice(1) || '/'}</span></a></li>
              ))}</ul>
            </div>
          ))}
        </nav>
        <label class="callpicker">{t('api.find')} <select value={call.key} onChange={(event) => go(href({ view: 'api', call: event.currentTarget.value }))}>{calls.map((one) => <option key={one.key}>{one.key}</option>)}</select></label>
        <Call key={call.key} path={call.path} method={call.method} operation={call.operation} />
      </div>
    </section>
  );
}

/** A text whose words in backticks are code. */
function Marked({ text }: { text: string }) {
  return <>{text.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}

function Call({ path, method, operation }: { path: string; method: string; operation: Operation }) {
  const parameters = (operation.parameters ?? []).filter((one) => one.in === 'query');
  const initial = () => Object.fromEntries(parameters.map((one) => [one.name, query.value.get(one.name) ?? (one.required && one.example !== undefined ? String(one.example) : '')]));
  const [values, setValues] = useState<Record<string, string>>(initial);
  const [body, setBody] = useState('{}');
  const [answer, setAnswer] = useState<{ text: string; note: string; ok: boolean } | null>(null);
  useEffect(() => setAnswer(null), [path, method]);
  const params: Param[] = parameters.flatMap((one): Param[] => {
    const value = values[one.name]?.trim();
    if (!value) return [];
    return one.name.endsWith('[]') ? value.split(/[\s,]+/).map((item): Param => [one.name, item]) : [[one.name, value]];
  });
  const text = encode(params);
  const address = text ? `${path}?${text}` : path;
  const send = async (event: Event) => {
    event.preventDefault();
    go(here({ call: method === 'get' ? path : `${method} ${path}`, ...Object.fromEntries(parameters.map((one) => [one.name, values[one.name]])) }), true);
    const begun = performance.now();
    try {
      const response = await fetch(address, { method: method.toUpperCase(), headers: { 'X-Requested-With': 'backlinkd', ...(method === 'get' ? { Accept: 'application/json' } : { 'Content-Type': 'application/json' }) }, body: method === 'get' ? undefined : body });
      const raw = await response.text();
      const note = t('api.took', { status: String(response.status), ms: number(Math.round(performance.now() - begun)), size: bytes(raw.length) });
      let shown = raw;
      try {
        shown = JSON.stringify(JSON.parse(raw), null, 2);
      } catch {
        // CSV and JSON lines are shown as they are.
      }
      setAnswer({ text: shown, note, ok: response.ok });
    } catch {
      setAnswer({ text: t('trouble.gone'), note: '', ok: false });
    }
  };
  const asked = { endpoint: path.slice(1), params };
  return (
    <div class="callview">
      <form class="card block" onSubmit={send}>
        <header><h2><b class="method">{method}</b> <span class="mono">{path}</span></h2></header>
        {(operation.summary || operation.description) && <div class="prose" lang="en">{operation.summary && <strong>{operation.summary}</strong>}{operation.description && <p><Marked text={operation.description} /></p>}</div>}
        {parameters.map((one) => {
          const options = one.schema?.enum;
          const items = one.schema?.items?.enum;
          const id = `p-${one.name}`;
          return (
            <div class="parameter" key={one.name}>
              <label for={id}><code>{one.name}</code>{one.required && <span class="muted"> {t('api.required')}</span>}</label>
              {options ? (
                <select id={id} value={values[one.name]} onChange={(event) => setValues({ ...values, [one.name]: event.currentTarget.value })}><option value="">{t('api.unset')}</option>{options.map((option) => <option key={option}>{option}</option>)}</select>
              ) : <input id={id} value={values[one.name]} required={one.required} list={items ? `${id}-items` : undefined} spellcheck={false} autocapitalize="none" placeholder={one.example !== undefined ? String(one.example) : ''} onInput={(event) => setValues({ ...values, [one.name]: event.currentTarget.value })} />}
              {items && <datalist id={`${id}-items`}>{items.map((item) => <option key={item} value={item} />)}</datalist>}
              {one.description && <p class="muted" lang="en"><Marked text={one.description} /></p>}
            </div>
          );
        })}
        {method !== 'get' && <><p class="note bad">{t('api.change')}</p><textarea rows={5} aria-label="JSON" value={body} onInput={(event) => setBody(event.currentTarget.value)} /></>}
        <p class="buttons"><button class="primary">{t('api.send')}</button>{method === 'get' && <><button type="button" onClick={() => copy(curl(asked))}>{t('menu.curl')}</button><button type="button" onClick={() => copy(python(asked))}>{t('menu.python')}</button></>}</p>
      </form>
      <section class="card block answer" aria-label={t('api.answer')} aria-live="polite">
        <header><h2>{t('api.answer')}</h2>{answer && <span class={answer.ok ? 'muted' : 'down'}>{answer.note}</span>}</header>
        <p class="mono address wrap">{method.toUpperCase()} {address}</p>
        {answer ? <><pre tabIndex={0}>{answer.text.slice(0, SHOWN_CHARS)}</pre>{answer.text.length > SHOWN_CHARS && <p class="muted">{t('api.cut')}</p>}</> : <p class="muted nothing">{t('api.none')}</p>}
      </section>
    </div>
  );
}
