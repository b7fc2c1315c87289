namespace Resources.Silo;

/// <summary>Small files with secrets, for development: readable by their owner alone.</summary>
public static class OwnerFile
{
    /// <summary>Writes a file anew; returns its full path.</summary>
    public static string Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(text);
        return Path.GetFullPath(path);
    }
}
