import type { Mail } from './mail-transport.js';

type Message = Mail & { kind: string };

/** A page of the console, and the token that it needs. */
interface Errand {
  page: 'invitation' | 'sign-up' | 'password-reset';
  route: string;
  token: string;
}

const MINUTES = 60;

/** The words of all mails. They hold no name of a document and nothing that anybody else typed but addresses. */
export class Mails {
  /** @param linkBase where links lead to; without it a mail holds the token and names the route that takes it */
  constructor(private readonly linkBase?: string) {}

  invitation(
    to: string,
    { tenantName, token, lifeSeconds }: { tenantName: string; token: string; lifeSeconds: number },
  ): Message {
    const way = this.wayOf({ page: 'invitation', route: '/v1/auth/invitations/accept', token });
    return message('invitation', to, `You are invited to ${tenantName} on Insurance Navigator`, [
      `You are invited to join ${tenantName} on Insurance Navigator.`,
      way,
      `The invitation is good for ${days(lifeSeconds)} and for one use. If you expected none, do nothing.`,
    ]);
  }

  signUp(to: string, { token, lifeSeconds }: { token: string; lifeSeconds: number }): Message {
    const way = this.wayOf({ page: 'sign-up', route: '/v1/auth/sign-up/complete', token });
    return message('sign-up', to, 'Confirm your e-mail address for Insurance Navigator', [
      'Somebody, probably you, wants to sign up for Insurance Navigator with this address.',
      way,
      `This is good for ${minutes(lifeSeconds)} and for one use. If it was not you, do nothing.`,
    ]);
  }

  signUpOfKnown(to: string): Message {
    return message('sign-up-known', to, 'You have an account at Insurance Navigator', [
      'Somebody, probably you, wanted to sign up for Insurance Navigator with this address, which has an account already.',
      'Log in with it, or ask for a new password. If it was not you, do nothing.',
    ]);
  }

  passwordReset(to: string, { token, lifeSeconds }: { token: string; lifeSeconds: number }): Message {
    const way = this.wayOf({ page: 'password-reset', route: '/v1/auth/password/reset', token });
    return message('password-reset', to, 'A new password for Insurance Navigator', [
      'Somebody, probably you, asked for a new password for your account.',
      way,
      `This is good for ${minutes(lifeSeconds)} and for one use. If it was not you, do nothing: your password stays as it is.`,
    ]);
  }

  passwordChanged(to: string): Message {
    return message('password-changed', to, 'Your password was changed', [
      'The password of your account at Insurance Navigator was changed, and other sessions were ended.',
      'If it was not you, ask for a new password at once and tell your administrator.',
    ]);
  }

  secondFactorChanged(to: string, { enabled }: { enabled: boolean }): Message {
    const state = enabled ? 'turned on' : 'turned off';
    return message('second-factor-changed', to, `Two-step login was ${state}`, [
      `Two-step login was ${state} for your account at Insurance Navigator.`,
      'If it was not you, ask for a new password at once and tell your administrator.',
    ]);
  }

  private wayOf({ page, route, token }: Errand): string {
    // After the #, so that the token stands in no server's log.
    if (this.linkBase) return `Go on here:\n\n${this.linkBase.replace(/\/$/, '')}/${page}#token=${token}`;
    return `Give this token to POST ${route}:\n\n${token}`;
  }
}

function message(kind: string, to: string, subject: string, paragraphs: string[]): Message {
  return { kind, to, subject, text: `${paragraphs.join('\n\n')}\n` };
}

const minutes = (seconds: number) => `${Math.round(seconds / MINUTES)} minutes`;
const days = (seconds: number) => `${Math.round(seconds / 86_400)} days`;
