#!/bin/sh
# Makes the workbooks beside this script with the programs that write them. All work is done in a temporary folder.
#   sh tests/sheets/written/make.sh        Debian 12, node 20, npm, a JDK, LibreOffice, apt; network
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --no-audit --no-fund --silent exceljs@4.4.0 xlsx@0.18.5
NODE_PATH="$work/node_modules" node "$here/exceljs.js" "$here"
NODE_PATH="$work/node_modules" node "$here/sheetjs.js" "$here"

for format in xls ods fods html; do
    soffice "-env:UserInstallation=file://$work/office" --headless --convert-to "$format" --outdir "$work" \
        "$here/exceljs.xlsx"
    mv "exceljs.$format" "$here/libreoffice.$format"
done

apt-get download -q libspreadsheet-writeexcel-perl libexcel-writer-xlsx-perl libole-storage-lite-perl \
    libparse-recdescent-perl libarchive-zip-perl libjexcelapi-java libapache-poi-java libcommons-codec-java \
    libcommons-collections4-java libcommons-math3-java libcommons-logging-java liblog4j1.2-java
for package in *.deb; do dpkg -x "$package" root; done
perl -I root/usr/share/perl5 "$here/writeexcel.pl" "$here"
jars=$(printf '%s:' "$work"/root/usr/share/java/*.jar)
for program in Poi Jxl; do
    javac -encoding UTF-8 -cp "$jars" -d "$work" "$here/$program.java"
    java -Dfile.encoding=UTF-8 -Djava.awt.headless=true -cp "$jars$work" "$program" "$here"
done
