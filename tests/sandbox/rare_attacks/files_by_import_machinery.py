# Tries to let Python's own readers of files read them: imports, archives, line caches, tokenizers, archives.
# Family: files
import importlib.machinery, importlib.util, linecache, pkgutil, runpy, tokenize, zipimport, fileinput, configparser, mailbox, tarfile, dbm, shelve, pickle, urllib.request

path, folder = TARGETS["secrets"], TARGETS["folder"]
for attempt in (
    lambda: linecache.getlines(path),
    lambda: importlib.machinery.SourceFileLoader("x", path).get_data(path),
    lambda: importlib.machinery.FileFinder(folder, (importlib.machinery.SourceFileLoader, [".py"])).find_spec("other"),
    lambda: zipimport.zipimporter(path),
    lambda: runpy.run_path(path),
    lambda: tokenize.open(path).read(),
    lambda: list(fileinput.input(path)),
    lambda: configparser.ConfigParser().read(path),
    lambda: len(mailbox.mbox(path, create=False)),
    lambda: tarfile.open(path),
    lambda: urllib.request.urlopen("file://" + path).read(),
    lambda: list(pkgutil.iter_modules([folder])),
    lambda: importlib.util.spec_from_file_location("x", path).loader.get_code("x"),
):
    try:
        if got := attempt():
            print("ESCAPED", got)
    except Exception as error:
        print(type(error).__name__)
