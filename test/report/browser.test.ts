/**
 * The page of `report` in a real browser: it needs no network and no script, says everything to the keyboard and to a
 * screen reader, and prints.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { report } from '../../src/cli/report';
import { CHROMIUM, hasChromium } from '../../scripts/chromium';
import { journalOfRouter, rtr1Dies, rtr2TakesOver } from './pairJournals';

const installed = hasChromium();
if (!installed)
  console.warn(
    "NOT CHECKED: the page of report in a browser. Debian's Chromium is not installed here: npx tsx scripts/needChromium.ts",
  );

(installed ? describe : describe.skip)('the page in Chromium', () => {
  let folder: string;
  let url: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'report-'));
    const paths = [join(folder, 'rtr1.jsonl'), join(folder, 'rtr2.jsonl')] as const;
    writeFileSync(paths[0], journalOfRouter('rtr1', rtr1Dies));
    writeFileSync(paths[1], journalOfRouter('rtr2', rtr2TakesOver));
    const html = join(folder, 'report.html');
    const quiet = { write: () => {} };
    expect(report({ paths, since: undefined, until: undefined, html }, { out: quiet, err: quiet })).toBe(0);
    url = pathToFileURL(html).href;
    // As root, Chromium starts without its sandbox only; what it opens is a page of this test.
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.newPage(options);
    await page.goto(url);
    return page;
  }

  test('nothing is fetched, nothing is refused or complained of, and no script is needed', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false });
    const asked: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    expect(asked).toEqual([url]);
    expect(complaints).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('What rtr1 and rtr2 tell');
    expect(await page.getByText('Time without a holder: 0.160 s').isVisible()).toBe(true);
    await page.close();
  });

  test('a screen reader finds headings, regions and tables, and axe no fault', async () => {
    const page = await open();
    const snapshot = await page.locator('main').ariaSnapshot();
    for (const part of [
      'heading "In short" [level=2]',
      'heading "Who held what" [level=2]',
      'region "Picture of episode 2"',
      'table "What each router said in episode 2"',
      'columnheader "what it said"',
    ])
      expect(snapshot).toContain(part);
    expect(snapshot).toMatch(/cell "taking over 172\.31\.101\.10 and /);
    // Into the page as the tools of a developer would, past its policy.
    await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate<AxeResults>('axe.run()');
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 120))])).toEqual([]);
    await page.close();
  });

  test('with the keyboard alone one gets from the top over a mark to its row', async () => {
    const page = await open();
    const focused = () =>
      page.evaluate("document.activeElement?.getAttribute('href') ?? document.activeElement?.className");
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('#what-happened');
    for (let presses = 0; !/^#e2-\d+$/.test(String(await focused())); presses += 1) {
      expect(presses).toBeLessThan(100);
      await page.keyboard.press('Tab');
    }
    const href = String(await focused());
    await page.keyboard.press('Enter');
    expect(page.url()).toBe(`${url}${href}`);
    expect(await page.locator(`tr${href}`).isVisible()).toBe(true);
    await page.close();
  });

  test('words of the picture lie within it, on wide and on narrow screens', async () => {
    for (const width of [1400, 700]) {
      const page = await open({ viewport: { width, height: 900 } });
      const outside = await page.evaluate(`[...document.querySelectorAll('svg.picture')].flatMap((svg) => {
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter((text) => {
          const box = text.getBoundingClientRect();
          return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
        }).map((text) => text.textContent);
      })`);
      expect(outside).toEqual([]);
      // What is wider than the screen scrolls by itself, and not the page.
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      await page.close();
    }
  });

  test('what is drawn in colour differs without it, too', async () => {
    const page = await open();
    const looks = await page.evaluate<
      string[][]
    >(`[...document.querySelectorAll('.legend svg rect')].map((shape) => [
      shape.getAttribute('fill'), shape.getAttribute('height'), shape.getAttribute('stroke')])`);
    const grey = (fill: string | undefined): number => {
      const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
        parseInt(fill?.slice(at, at + 2) ?? '', 16),
      );
      return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    };
    const seen = looks.map(([fill, height]) =>
      fill?.startsWith('#') ? `${height} ${Math.round(grey(fill) / 20)}` : fill,
    );
    expect(new Set(seen).size).toBe(seen.length);
    await page.close();
  });

  test('it prints, on a few sheets', async () => {
    const page = await open();
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
    expect(pdf.startsWith('%PDF-')).toBe(true);
    expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeLessThan(6);
    expect(pdf).toMatch(/\/MediaBox \[0 0 84[12][\d.]* 59[45]/);
    await page.close();
  });
});
