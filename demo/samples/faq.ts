import { type FaqSection, faqSections } from './faq-content.js';
import { contacts, plan } from './plan-figures.js';

/** The page of questions and answers, with the navigation and footer that a real site has around its content. */
export function makeFaq(): Buffer {
  const title = `Questions and answers about the ${plan.name}`;
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="author" content="${plan.insurer}">
<meta name="description" content="Answers to the questions that members of the ${plan.name} ask most.">
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="brand">${plan.insurer}</p>
<nav aria-label="Main"><ul>${NAVIGATION.map((name) => `<li><a href="#">${name}</a></li>`).join('')}</ul></nav>
</header>
<main>
<h1>${title}</h1>
<p>These answers hold for the plan year from ${plan.firstDay} to ${plan.lastDay}. The benefits booklet has the details and decides if the two differ.</p>
${faqSections.map(renderSection).join('\n')}
</main>
<footer>
<p>${plan.insurer} is fictitious: a sample document of Insurance Navigator. Not an offer of insurance.</p>
<p><a href="${contacts.site}">${contacts.site}</a> | <a href="mailto:${contacts.email}">${contacts.email}</a></p>
<ul><li><a href="#">Privacy</a></li><li><a href="#">Accessibility</a></li><li><a href="#">Terms of use</a></li></ul>
</footer>
</body>
</html>
`;
  return Buffer.from(page, 'utf8');
}

function renderSection({ title, entries }: FaqSection): string {
  const body = entries.map(
    ({ question, answer, table }) =>
      `<h3>${question}</h3>\n${answer.map((text) => `<p>${text}</p>`).join('\n')}${table ? `\n${renderTable(table)}` : ''}`,
  );
  return `<section>\n<h2>${title}</h2>\n${body.join('\n')}\n</section>`;
}

function renderTable({ headers, rows }: { headers: string[]; rows: string[][] }): string {
  const head = headers.map((text) => `<th scope="col">${text}</th>`).join('');
  const body = rows.map(
    ([first, ...others]) =>
      `<tr><th scope="row">${first}</th>${others.map((text) => `<td>${text}</td>`).join('')}</tr>`,
  );
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>`;
}

const NAVIGATION = ['Home', 'Find care', 'Benefits', 'Claims', 'Pharmacy', 'Questions', 'Sign in'];
const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2529; margin: 0; }
header, footer { background: #eaf3f3; padding: 1rem 2rem; }
nav ul, footer ul { display: flex; gap: 1.5rem; list-style: none; padding: 0; }
main { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { color: #0f5f68; }
table { border-collapse: collapse; }
th, td { border: 1px solid #b9cfd1; padding: .4rem .8rem; text-align: left; }
`;
