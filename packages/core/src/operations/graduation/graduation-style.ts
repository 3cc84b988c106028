/** The look of the graduation report. */
export const graduationStyle = `
:root{--ink:#1b2430;--dim:#647184;--line:#dde3ea;--ok:#1d7a46;--bad:#b3261e;--note:#8a6100;--band:#f6f8fa}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);margin:0 auto;max-width:84rem;padding:2rem 1.25rem;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.5rem 0 .75rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}h3{font-size:1rem;margin:.25rem 0 .5rem}
.verdict{font-size:1.1rem;margin:.25rem 0 0;color:var(--bad)}.verdict.proven,.verdict.proven-except-stochastic,.verdict.proven-with-accepted{color:var(--ok)}
.dim{color:var(--dim);font-weight:400;font-size:.85em}
ul.checks{list-style:none;padding:0;margin:0}ul.checks li{padding:.15rem 0 .15rem 1.6rem;position:relative}
ul.checks li::before{position:absolute;left:0;content:"\\2713";color:var(--ok)}ul.checks li.bad::before{content:"\\2717";color:var(--bad)}ul.checks li.note::before{content:"!";color:var(--note);left:.3rem}
pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--band);border:1px solid var(--line);border-radius:6px;padding:.6rem .75rem;margin:0 0 .6rem;overflow-x:auto;white-space:pre}
.band{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:1.25rem;border-left:4px solid #8fb4d8;padding:.75rem 0 .5rem .9rem;margin:0 0 1rem}
.band:nth-child(3n){border-color:#9cc7a5}.band:nth-child(3n+1){border-color:#d8b48f}
.band img{max-width:100%;border:1px solid var(--line);border-radius:6px;margin-bottom:.5rem}
.plus{color:var(--ok)}.minus{color:var(--bad)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;min-width:40rem}th,td{text-align:left;padding:.3rem .7rem;border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--dim);font-weight:600}
tr.equal td:first-child{color:var(--ok)}tr.different td:first-child,tr.missing td:first-child,tr.uncompared td:first-child{color:var(--bad);font-weight:600}
@media (max-width:50rem){.band{grid-template-columns:minmax(0,1fr)}}
`
