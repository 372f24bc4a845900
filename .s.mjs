import { parseConfiguration } from './src/policy/configuration.ts';
import { compilePolicy } from './src/policy/compile.ts';
import { decide, explain, keyOf, couldAllow } from './src/policy/decide.ts';
import { defineTool } from './src/policy/tool.ts';
import { renderIssue } from './src/value/issue.ts';
const text=`interlock: 1
servers: { files: {command: x}, payments: {command: y}}
tools:
  files.read_*: { effect: read }
  files.write_file: { effect: write }
  payments.create_refund: { effect: irreversible, key: args.charge }
principals: { finance@example.com: { roles: [finance] } }
rules:
  - allow: files.*
    when: tool.effect == "read"
  - allow: files.write_file
    when: args.content.size() < 10
  - deny: files.write_file
    when: args.path.endsWith(".env")
    because: agents do not write secrets
  - allow: payments.create_refund
    when: args.amount <= 20000 && args.currency in ["usd", "eur"]
  - ask: payments.create_refund
    when: args.amount > 5000
    approvers: [finance]
  - allow: payments.get_*
    when: '"finance" in principal.roles'
`;
const def=(s,name,props,req)=>{const d=defineTool(s,{name,inputSchema:{type:'object',properties:props,required:req??Object.keys(props)}});return [d.tool.name,d.tool]};
const S={type:'string'},I={type:'integer'};
const tools=new Map([def('files','read_file',{path:S}),def('files','write_file',{path:S,content:S}),def('payments','create_refund',{charge:S,amount:I,currency:S},['charge','amount']),def('payments','get_refund',{charge:S})]);
const c=parseConfiguration(text,{file:'interlock.yaml',environment:{}});
const {policy,issues}=compilePolicy(c.value,tools,{complete:new Set(['files','payments'])});
for(const i of issues) console.log(renderIssue(i,text));
const req=(tool,args,principal='local')=>({principal,tool,args,call:{id:'c',attempt:1,key:''},run:{id:'r',depth:0},now:Date.UTC(2026,0,1)});
for (const r of [req('files.read_file',{path:'a'}),req('files.write_file',{path:'a',content:'x'}),req('files.write_file',{path:'.env',content:'x'}),req('files.write_file',{path:'a',content:'x'.repeat(20)}),req('payments.create_refund',{charge:'c',amount:100,currency:'usd'}),req('payments.create_refund',{charge:'c',amount:6000,currency:'usd'}),req('payments.create_refund',{charge:'c',amount:60000,currency:'gbp'}),req('payments.create_refund',{charge:'c',amount:60}),req('payments.create_refund',{charge:'c',amount:'60'}),req('payments.get_refund',{charge:'c'}),req('payments.get_refund',{charge:'c'},'finance@example.com'),req('payments.nope',{}),req('files.read_file',{path:'a'},'mallory'),req('files.resources/read',{uri:'a'})]) { const e=explain(policy,r); console.log(JSON.stringify(e.decision), keyOf(policy,r)); }
console.log(JSON.stringify(explain(policy,req('payments.create_refund',{charge:'c',amount:60})),null,1));
let r=req('payments.create_refund',{charge:'c',amount:100,currency:'usd'}); for(let k=0;k<3;k++){const b=performance.now(); for(let i=0;i<20000;i++) decide(policy,r); console.log('decide µs',(performance.now()-b)/20);}
