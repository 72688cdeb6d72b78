// Who is signed in, and the form for it. It replaces the dialog of the browser.

import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, Failure, forget, post, retryAll, trouble } from './core/api';
import { t } from './core/i18n';

/** The user, null before anything is known; a name of null means that no users exist. */
export const session = signal<{ name: string | null; roles: string[] } | null>(null);

export async function readSession(): Promise<void> {
  try {
    const reply = await ask('/session');
    session.value = reply.signIn ? null : { name: reply.name ?? null, roles: reply.roles ?? [] };
    // The form for it appears before any request is refused.
    if (reply.signIn) trouble.value = { status: 401, until: Infinity };
  } catch {
    session.value = null;
  }
}

/** Whether controls are offered; servers without sessions decide themselves. */
export function operates(): boolean {
  const user = session.value;
  return !user || user.name === null || user.roles.includes('operate');
}

export async function signOut(): Promise<void> {
  await post('/session', undefined, 'DELETE').catch(() => undefined);
  forget();
  session.value = null;
  location.assign('/');
}

export function SignIn() {
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await post('/session', { name: form.get('name'), password: form.get('password') });
      setFailure('');
      forget();
      await readSession();
      retryAll();
    } catch (error) {
      const { status, message } = error as Failure;
      setFailure(status === 401 ? t('session.wrong') : status === 404 ? t('session.absent') : message || t('trouble.gone'));
    }
    setBusy(false);
  };
  return (
    <form class="card signin" onSubmit={submit} aria-label={t('session.title')}>
      <h2>{t('session.title')}</h2>
      <p>{t('session.lead')}</p>
      <label>{t('session.name')} <input ref={first} name="name" autocomplete="username" required autocapitalize="none" spellcheck={false} /></label>
      <label>{t('session.password')} <input name="password" type="password" autocomplete="current-password" required /></label>
      {failure && <p class="refusal" role="alert">{failure}</p>}
      <button class="primary" disabled={busy}>{t('session.in')}</button>
    </form>
  );
}
