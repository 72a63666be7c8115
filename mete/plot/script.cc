// The script of a page: read-outs under the pointer, and series made to stand out from the legend.
// All text goes through textContent, so that names stay names. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/plot/markup.h"

namespace mete {

std::string_view page_script() {
  return R"js(
(function(){
'use strict';
var tip=document.createElement('div');tip.id='tip';tip.hidden=true;tip.setAttribute('role','status');document.body.appendChild(tip);
function show(text,x,y){
  tip.textContent=text;tip.hidden=false;
  var w=tip.offsetWidth,h=tip.offsetHeight,right=window.scrollX+document.documentElement.clientWidth;
  var left=x+14;if(left+w>right-4)left=x-w-14;if(left<window.scrollX+4)left=window.scrollX+4;
  var top=y-h-10;if(top<window.scrollY+4)top=y+16;
  tip.style.left=left+'px';tip.style.top=top+'px';
}
function hide(){tip.hidden=true}
function quantity(v,unit){
  if(unit==='1')return (v*100).toFixed(1).replace('-','\u2212')+' %';
  var a=Math.abs(v),f=1,p='';
  if(unit&&a>0){
    var all=[[1e12,'T'],[1e9,'G'],[1e6,'M'],[1e3,'k'],[1,''],[1e-3,'m'],[1e-6,'\u00b5'],[1e-9,'n']];
    for(var i=0;i<all.length;i++){
      if(unit==='s'&&all[i][0]>1)continue;
      f=all[i][0];p=all[i][1];
      if(a>=f*0.9995)break;
    }
  }
  var s=v/f,d=s===0?0:Math.max(0,3-Math.ceil(Math.log10(Math.abs(s)+1e-12)));
  return s.toFixed(Math.min(d,6)).replace('-','\u2212')+(unit?'\u00a0'+p+unit:'');
}
function axis(text){var a=text.split(' ').map(Number);return{p0:a[0],p1:a[1],v0:a[2],v1:a[3],log:a[4]===1}}
function value(ax,px){
  var t=(px-ax.p0)/(ax.p1-ax.p0);
  return ax.log?ax.v0*Math.pow(ax.v1/ax.v0,t):ax.v0+t*(ax.v1-ax.v0);
}
function points(path){
  if(path._p)return path._p;
  var out=[],x=0,y=0,cut=false,m,re=/([Ml])|(-?\d*\.?\d+)/g,cmd='M',pair=[];
  while((m=re.exec(path.getAttribute('d')))){
    if(m[1]){cmd=m[1];if(cmd==='M')cut=true;continue}
    pair.push(parseFloat(m[2]));
    if(pair.length<2)continue;
    if(cmd==='M'){x=pair[0];y=pair[1]}else{x+=pair[0];y+=pair[1]}
    out.push([x,y,cut]);cut=false;pair=[];
  }
  return path._p=out;
}
function bisect(list,x){var a=0,b=list.length;while(a<b){var m=(a+b)>>1;if(list[m][0]<x)a=m+1;else b=m}return a}
function span(path,px){
  var list=points(path),lo=Infinity,hi=-Infinity,step=path.hasAttribute('data-s'),i,j;
  for(i=bisect(list,px-0.75);i<list.length&&list[i][0]<=px+0.75;i++){lo=Math.min(lo,list[i][1]);hi=Math.max(hi,list[i][1])}
  if(lo<=hi)return[lo,hi];
  j=bisect(list,px);
  if(j===0||j>=list.length||list[j][2])return null;
  var a=list[j-1],b=list[j],y=step?a[1]:a[1]+(b[1]-a[1])*(px-a[0])/((b[0]-a[0])||1);
  return[y,y];
}
function readout(panel,px){
  var ax=axis(panel.getAttribute('data-x')),ay=axis(panel.getAttribute('data-y'));
  var ux=panel.getAttribute('data-ux'),uy=panel.getAttribute('data-uy');
  var rows=[quantity(value(ax,px),ux)],paths=panel.querySelectorAll('path.ln[data-n]:not(.thin):not(.r-bound)');
  for(var i=0;i<paths.length;i++){
    var s=span(paths[i],px),name=paths[i].getAttribute('data-n');
    if(!s){rows.push(name+': no value');continue}
    var low=quantity(value(ay,s[1]),uy),high=quantity(value(ay,s[0]),uy);
    rows.push(name+': '+(low===high?low:low+' to '+high));
  }
  return paths.length?rows.join('\n'):'';
}
function setup(svg){
  var panels=[].slice.call(svg.querySelectorAll('.pn')),cross=[];
  [].forEach.call(svg.querySelectorAll('.p'),function(p){
    var t=p.querySelector('title'),text=t?t.textContent:'';
    if(t)t.remove();
    p.setAttribute('role','img');p.setAttribute('aria-label',text);
    function on(){var r=p.querySelector('.mk,.ring,.bar,.bx').getBoundingClientRect();show(text,r.left+window.scrollX+r.width/2,r.top+window.scrollY)}
    p.addEventListener('pointerenter',on);p.addEventListener('focus',on);
    p.addEventListener('pointerleave',hide);p.addEventListener('blur',hide);
  });
  function clear(){cross.forEach(function(c){c.remove()});cross=[]}
  panels.forEach(function(panel){
    if(!panel.querySelector('path.ln[data-n]:not(.thin):not(.r-bound)'))return;
    panel.addEventListener('pointermove',function(e){
      var m=svg.getScreenCTM();if(!m||(e.target.closest&&e.target.closest('.p')))return;
      var px=(e.clientX-m.e)/m.a,ax=axis(panel.getAttribute('data-x'));
      clear();
      if(px<ax.p0||px>ax.p1){hide();return}
      panels.forEach(function(q){
        if(q!==panel&&q.getAttribute('data-x')!==panel.getAttribute('data-x'))return;
        var ay=axis(q.getAttribute('data-y')),c=document.createElementNS(svg.namespaceURI,'path');
        c.setAttribute('class','xh');c.setAttribute('d','M'+px.toFixed(1)+' '+ay.p0+'V'+ay.p1);
        q.appendChild(c);cross.push(c);
      });
      var text=readout(panel,px);
      if(text)show(text,e.pageX,e.pageY);
    });
    panel.addEventListener('pointerleave',function(){clear();hide()});
  });
  [].forEach.call(svg.querySelectorAll('.lg'),function(entry){
    entry.addEventListener('pointerenter',function(){
      svg.classList.add('hl');
      [].forEach.call(svg.querySelectorAll('.s'),function(s){s.classList.toggle('on',s.getAttribute('data-k')===entry.getAttribute('data-k'))});
    });
    entry.addEventListener('pointerleave',function(){svg.classList.remove('hl')});
  });
}
[].forEach.call(document.querySelectorAll('svg.fig'),setup);
document.addEventListener('keydown',function(e){if(e.key==='Escape')hide()});
})();
)js";
}

}  // namespace mete
