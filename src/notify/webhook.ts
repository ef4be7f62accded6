/**
 * A webhook: each notification as a POST of a CloudEvent in JSON, signed with a key that both ends have.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { ReceiverSettings } from '../config/settings';
import { isoTime } from '../history/entry';
import { together } from '../together';
import { quoted } from '../transport/words';
import type { Notification } from './notification';
import { causeOf, delivered, failed, type Deliver, type Delivery, type Receiver } from './receiver';

type WebhookSettings = Extract<ReceiverSettings, { type: 'webhook' }>;

/** It would say the same to this notification another time. */
const REFUSED_FOR_GOOD: readonly number[] = [400, 413, 415, 422];
const ANSWER_MAX = 120;

export function webhook(settings: WebhookSettings): Receiver {
  const deliver: Deliver = async (notification, signal) => {
    try {
      const [key, ca] = await together([
        settings.keyFile === null ? null : readKey(settings.keyFile),
        settings.caFile === null ? null : readFile(settings.caFile),
      ]);
      return await post(settings, signedRequest(notification, key, Date.now()), { ca, signal });
    } catch (error: unknown) {
      return failed(causeOf(error));
    }
  };
  return { deliver, close: () => {} };
}

type SignedRequest = { readonly body: string; readonly headers: { readonly [name: string]: string } };

/** `key`: null for none. `wallNow`: milliseconds since 1970. */
export function signedRequest(
  notification: Notification,
  key: Buffer | null,
  wallNow: number,
): SignedRequest {
  const body = JSON.stringify(cloudEvent(notification));
  const timestamp = String(Math.floor(wallNow / 1000));
  const { id } = notification;
  const signature = (secret: Buffer) =>
    createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    body,
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'xr-aws-ha',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(key === null ? {} : { 'webhook-signature': `v1,${signature(key)}` }),
    },
  };
}

export function cloudEvent({ id, type, at, router, severity, text, folded, entry }: Notification) {
  return {
    specversion: '1.0',
    id,
    source: `/xr-aws-ha/${router}`,
    type: `xr-aws-ha.${type}`,
    ...(entry === null ? {} : { subject: entry.what }),
    time: isoTime(at),
    datacontenttype: 'application/json',
    data: { router, severity, text, folded, ...(entry === null ? {} : { entry }) },
  };
}

/** As Standard Webhooks writes keys (`whsec_` and base64), or any text. */
async function readKey(path: string): Promise<Buffer> {
  const text = (await readFile(path, 'utf8')).trim();
  if (text === '') throw new Error(`${path} is empty`);
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  return encoded === undefined ? Buffer.from(text) : Buffer.from(encoded, 'base64');
}

function post(
  { url }: WebhookSettings,
  { body, headers }: SignedRequest,
  { ca, signal }: { readonly ca: Buffer | null; readonly signal: AbortSignal },
): Promise<Delivery> {
  return new Promise((resolve, reject) => {
    const { protocol } = new URL(url);
    const options = { method: 'POST', headers, signal, agent: false, ...(ca === null ? {} : { ca }) };
    const request = protocol === 'http:' ? requestHttp(url, options) : requestHttps(url, options);
    request.on('error', reject);
    request.on('response', (response) => {
      const { statusCode = 0 } = response;
      let said = '';
      const end = () => {
        response.destroy();
        resolve(judged(statusCode, said));
      };
      response.setEncoding('utf8').on('data', (part: string) => {
        said += part;
        if (said.length >= ANSWER_MAX) end();
      });
      response.on('end', end).on('error', end);
    });
    request.end(body);
  });
}

function judged(status: number, said: string): Delivery {
  const words = quoted(said, []).slice(0, ANSWER_MAX);
  if (status >= 200 && status < 300) return delivered(`HTTP ${status}`);
  const cause = `HTTP ${status}${words === '' ? '' : `: ${words}`}`;
  return failed(cause, REFUSED_FOR_GOOD.includes(status));
}
