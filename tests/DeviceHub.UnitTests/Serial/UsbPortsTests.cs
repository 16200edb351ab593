using DeviceHub.Gateways.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>A port by its USB device, in a tree as sysfs has it.</summary>
public sealed class UsbPortsTests : IDisposable
{
    private readonly string sysfs = Directory.CreateTempSubdirectory("sysfs-").FullName;

    public UsbPortsTests()
    {
        Device("1-1", "1a86", "7523", null, ("tty", "ttyUSB0"));
        Device("1-2", "0403", "6001", "A50285BI", ("tty", "ttyUSB1"));
        Device("1-3", "0403", "6001", "A50285BJ", ("tty", "ttyUSB2"));
        Device("1-4", "0c2e", "0b61", null, ("input", "event7"));
        Device("1-4", "0c2e", "0b61", null, ("input", "input12"));
        Directory.CreateDirectory(Path.Combine(sysfs, "devices", "platform", "serial8250", "tty", "ttyS0"));
        Directory.CreateSymbolicLink(Path.Combine(sysfs, "class", "tty", "ttyS0"), Path.Combine(sysfs, "devices", "platform", "serial8250", "tty", "ttyS0"));
    }

    public void Dispose() => Directory.Delete(sysfs, recursive: true);

    [Theory]
    [InlineData("1a86:7523", "tty", "/dev/ttyUSB0")]
    [InlineData("1A86:7523", "tty", "/dev/ttyUSB0")]
    [InlineData("0403:6001", "tty", "/dev/ttyUSB1 /dev/ttyUSB2")]
    [InlineData("0403:6001:A50285BJ", "tty", "/dev/ttyUSB2")]
    [InlineData("0403:6001:A5", "tty", "")]
    [InlineData("1a86:7523:1", "tty", "")]
    [InlineData("0c2e:0b61", "input", "/dev/input/event7")]
    [InlineData("0c2e:0b61", "tty", "")]
    public void Ports_of_a_device_are_found_by_vendor_product_and_serial(string device, string deviceClass, string found) =>
        Assert.Equal(found, string.Join(' ', new UsbPorts(sysfs).Find(device, deviceClass)));

    [Fact]
    public void Where_there_is_no_sysfs_nothing_is_found() => Assert.Empty(new UsbPorts(sysfs + "-none").Find("1a86:7523", "tty"));

    [Theory]
    [InlineData("1a86"), InlineData("1a86:752"), InlineData("1a86:752g"), InlineData(""), InlineData("11a86:7523")]
    public void Anything_else_is_no_name_of_a_device(string text) => Assert.False(UsbPorts.TryParse(text, out _));

    [Theory]
    [InlineData(null, null, "needs either Path or Usb")]
    [InlineData("/dev/ttyUSB0", "1a86:7523", "needs either Path or Usb")]
    [InlineData(null, "1a86", "Serial:Ports:p:Usb must be")]
    public void Options_that_name_no_port_or_two_are_refused(string? path, string? usb, string words)
    {
        var options = new SerialOptions();
        options.Ports["p"] = new() { Path = path, Usb = usb };
        Assert.Contains(words, options.Fault(), StringComparison.Ordinal);
    }

    [Fact]
    public void Rates_scanners_without_a_serial_number_and_escapes_are_judged()
    {
        Assert.Contains("Baud must be", Fault(new() { Path = "/dev/ttyUSB0", Baud = 57_600 }), StringComparison.Ordinal);
        Assert.Contains("SerialNumber must be", Fault(new() { Path = "/dev/ttyUSB0", Mode = SerialMode.Line }), StringComparison.Ordinal);
        Assert.Contains("Prefix and Suffix", Fault(new() { Path = "/dev/ttyUSB0", Mode = SerialMode.Line, SerialNumber = "GUN-1", Suffix = "\\t" }), StringComparison.Ordinal);
        Assert.Null(Fault(new() { Path = "/dev/ttyUSB0", Mode = SerialMode.Line, SerialNumber = "GUN-1", Suffix = "\\x09", Baud = 57_600 }));
    }

    /// <summary>They would take the session from each other for ever.</summary>
    [Fact]
    public void Two_scanners_that_are_one_terminal_are_refused()
    {
        var options = new SerialOptions();
        options.Ports["left"] = new() { Path = "/dev/ttyUSB0", Mode = SerialMode.Line, SerialNumber = "GUN-1" };
        options.Ports["right"] = new() { Path = "/dev/input/event7", Mode = SerialMode.Keyboard, SerialNumber = "GUN-1" };
        options.Ports["cable"] = new() { Path = "/dev/ttyUSB1" };
        Assert.Equal("Serial:Ports: left and right are both SerialNumber GUN-1; a scanner's port is a terminal of its own", options.Fault());
        options.Ports["right"].SerialNumber = "GUN-2";
        Assert.Null(options.Fault());
    }

    private static string? Fault(SerialPortSettings port)
    {
        var options = new SerialOptions();
        options.Ports["p"] = port;
        return options.Fault();
    }

    private void Device(string bus, string vendor, string product, string? serial, (string Class, string Name) port)
    {
        var device = Directory.CreateDirectory(Path.Combine(sysfs, "devices", "pci0000:00", "usb1", bus)).FullName;
        File.WriteAllText(Path.Combine(device, "idVendor"), vendor + "\n");
        File.WriteAllText(Path.Combine(device, "idProduct"), product + "\n");
        if (serial is not null)
        {
            File.WriteAllText(Path.Combine(device, "serial"), serial + "\n");
        }

        var entry = Directory.CreateDirectory(Path.Combine(device, bus + ":1.0", port.Class, port.Name)).FullName;
        var classes = Directory.CreateDirectory(Path.Combine(sysfs, "class", port.Class)).FullName;
        Directory.CreateSymbolicLink(Path.Combine(classes, port.Name), entry);
    }
}
