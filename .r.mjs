import { compile } from './src/expression/compile.ts';
import { typeOfSchema } from './src/expression/schema.ts';
const v=new Map([['args',typeOfSchema({type:'object',required:['amount'],properties:{amount:{type:'integer'},currency:{type:'string'}}})]]);
for (const s of ['args.amount <= 20000 && args.currency in ["usd"]','args.amnt > 1','args.currency > 1','has(args.currency) && args.currency == "x"','tool.x','1 +','args.amount',' args.amount < 1 && (args.amount > 2 || true)\n && true'])
 console.log(s, compile(s,v,{expect:'bool'}), compile(s,v).ok && compile(s,v).expression?.clauses);
