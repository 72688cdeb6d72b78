import{a,b}from"./chunk-Y5PBUJUQ.js";import"./chunk-6TA5BV4G.js";import"./chunk-H32Z5VD2.js";import"./chunk-P54YQFE6.js";export{b as Add,a as Compare};
